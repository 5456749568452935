"""What a job's environment is made of: dependencies of the job, and none of its code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from azureml_pants.options import AzureMLSubsystem
from azureml_pants.rules.entry_points import (
    JobEntryPoints,
    JobEntryPointsRequest,
    JobFile,
    JobFileRequest,
    JobInferenceFieldSet,
)
from azureml_pants.target_types import AzureMLJobDependenciesField, AzureMLJobSourceField
from pants.backend.docker.target_types import DockerImageSourceField
from pants.core.target_types import FileSourceField, ResourceSourceField
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import GlobMatchErrorBehavior, PathGlobs, Paths
from pants.engine.internals.graph import Owners, OwnersRequest
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    Dependencies,
    DependenciesRequest,
    ExplicitlyProvidedDependencies,
    FieldSet,
    InferDependenciesRequest,
    InferredDependencies,
    Target,
    UnexpandedTargets,
)
from pants.engine.unions import UnionRule

# Most wanted first. Code in a build context is no code of the job: its imports are not followed.
ENVIRONMENT_SOURCES = (FileSourceField, ResourceSourceField, DockerImageSourceField)


@dataclass(frozen=True)
class EnvironmentFieldSet(FieldSet):
    required_fields = (AzureMLJobSourceField, AzureMLJobDependenciesField)

    source: AzureMLJobSourceField


class InferEnvironmentDependencies(InferDependenciesRequest):
    infer_from = EnvironmentFieldSet


@rule(desc="Infer what a job's environment is made of")
async def infer_environment_dependencies(
    request: InferEnvironmentDependencies, azureml: AzureMLSubsystem
) -> InferredDependencies:
    job_file = await Get(JobFile, JobFileRequest(request.field_set.source.path))
    globs = job_file.needs.environment_globs() if job_file.needs else ()
    if not globs:
        return InferredDependencies(())
    # For the Python of the images, their packages are chosen.
    paths = await Get(
        Paths, PathGlobs((*globs, azureml.image_platform), GlobMatchErrorBehavior.ignore)
    )
    owners = await MultiGet(Get(Owners, OwnersRequest((path,))) for path in paths.files)
    targets = await MultiGet(Get(UnexpandedTargets, Addresses(found)) for found in owners)
    addresses = {
        target.address for found in targets for target in owners_of_environment_file(found)
    }
    # When a file is removed, what is left of it is the target that had generated its own.
    generators = {address.maybe_convert_to_target_generator() for address in addresses}
    return InferredDependencies(sorted(addresses | generators))


def owners_of_environment_file(owners: Iterable[Target]) -> list[Target]:
    """Those that have the file as data or, when there are none, the images that are built of it."""
    owners = list(owners)
    of_kind = ([each for each in owners if each.has_field(kind)] for kind in ENVIRONMENT_SOURCES)
    return next((found for found in of_kind if found), [])


@dataclass(frozen=True)
class EnvironmentAloneRequest:
    """Which dependencies of a job are in its environment and not in its code."""

    job: Target


@dataclass(frozen=True)
class EnvironmentAlone:
    environment: frozenset[Address]
    code: frozenset[Address]

    def holds(self, address: Address) -> bool:
        names = {address, address.maybe_convert_to_target_generator()}
        return bool(names & self.environment) and not names & self.code


@rule
async def tell_environment_from_code(request: EnvironmentAloneRequest) -> EnvironmentAlone:
    job = request.job
    inferred, entry_points, explicit = await MultiGet(
        Get(InferredDependencies, InferEnvironmentDependencies(EnvironmentFieldSet.create(job))),
        Get(JobEntryPoints, JobEntryPointsRequest(JobInferenceFieldSet.create(job))),
        Get(ExplicitlyProvidedDependencies, DependenciesRequest(job[Dependencies])),
    )
    return EnvironmentAlone(
        environment=frozenset(inferred.include),
        code=frozenset(
            (
                *entry_points.of_command.addresses,
                *entry_points.of_field.addresses,
                *explicit.includes,
            )
        ),
    )


def rules():
    return [
        *collect_rules(),
        UnionRule(InferDependenciesRequest, InferEnvironmentDependencies),
    ]
