"""What a job's environment is built from: dependencies of the job that are not its code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from azureml_pants.base.options import AzureMLSubsystem
from azureml_pants.code.job_entry_points import JobEntryPoints, JobEntryPointsRequest, JobFieldSet
from azureml_pants.code.job_fields import AzureMLJobDependenciesField, AzureMLJobSourceField
from azureml_pants.code.job_file import JobFile, JobFileRequest
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

# Best first. Code in a build context is not code of the job: its imports are not followed.
ENVIRONMENT_SOURCES = (FileSourceField, ResourceSourceField, DockerImageSourceField)


@dataclass(frozen=True)
class EnvironmentFieldSet(FieldSet):
    required_fields = (AzureMLJobSourceField, AzureMLJobDependenciesField)

    source: AzureMLJobSourceField


class InferEnvironmentDependencies(InferDependenciesRequest):
    infer_from = EnvironmentFieldSet


@rule(desc="Infer what a job's environment is built from")
async def infer_environment_dependencies(
    request: InferEnvironmentDependencies, azureml: AzureMLSubsystem
) -> InferredDependencies:
    job_file = await Get(JobFile, JobFileRequest(request.field_set.source.path))
    globs = job_file.needs.environment_globs() if job_file.needs else ()
    if not globs:
        return InferredDependencies(())
    # An image's packages are chosen for the platform that this file describes.
    paths = await Get(
        Paths, PathGlobs((*globs, azureml.image_platform), GlobMatchErrorBehavior.ignore)
    )
    owners = await MultiGet(Get(Owners, OwnersRequest((path,))) for path in paths.files)
    targets = await MultiGet(Get(UnexpandedTargets, Addresses(found)) for found in owners)
    addresses = {
        target.address for found in targets for target in owners_of_environment_file(found)
    }
    # When a file is removed, only the generator of its target is left.
    generators = {address.maybe_convert_to_target_generator() for address in addresses}
    return InferredDependencies(sorted(addresses | generators))


def owners_of_environment_file(owners: Iterable[Target]) -> list[Target]:
    """Return the targets that hold the file as data or, without any, the images built from it."""
    owners = list(owners)
    of_kind = ([each for each in owners if each.has_field(kind)] for kind in ENVIRONMENT_SOURCES)
    return next((found for found in of_kind if found), [])


@dataclass(frozen=True)
class JobDependenciesRequest:
    job: Target


@dataclass(frozen=True)
class JobDependencies:
    """The direct dependencies of a job, by what they are for."""

    environment: frozenset[Address]
    code: frozenset[Address]

    def is_environment_only(self, address: Address) -> bool:
        names = {address, address.maybe_convert_to_target_generator()}
        return bool(names & self.environment) and not names & self.code


@rule
async def separate_environment_from_code(request: JobDependenciesRequest) -> JobDependencies:
    job = request.job
    inferred, entry_points, explicit = await MultiGet(
        Get(InferredDependencies, InferEnvironmentDependencies(EnvironmentFieldSet.create(job))),
        Get(JobEntryPoints, JobEntryPointsRequest(JobFieldSet.create(job))),
        Get(ExplicitlyProvidedDependencies, DependenciesRequest(job[Dependencies])),
    )
    return JobDependencies(
        environment=frozenset(inferred.include),
        code=frozenset((*entry_points.addresses, *explicit.includes)),
    )


def rules():
    return [
        *collect_rules(),
        UnionRule(InferDependenciesRequest, InferEnvironmentDependencies),
    ]
