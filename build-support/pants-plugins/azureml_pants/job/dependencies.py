"""What a job depends on: its code, its packages, and what its environment is built from."""

from __future__ import annotations

from collections.abc import Sequence

from azureml_jobs.imports.overlay import pattern_of
from azureml_pants.base.options import AzureMLSubsystem
from azureml_pants.code.job_code import JobCode, JobFieldSet
from azureml_pants.code.job_fields import AzureMLJobSourceField
from azureml_pants.code.loaded_code import LoadedCode, LoadedCodeRequest
from azureml_pants.code.owners import Candidates, CandidatesRequest
from pants.backend.docker.target_types import DockerImageSourceField
from pants.core.target_types import FileSourceField, ResourceSourceField
from pants.engine.fs import GlobMatchErrorBehavior, PathGlobs, Paths
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import InferDependenciesRequest, InferredDependencies, Target
from pants.engine.unions import UnionRule

# Best first. Code in a build context is not code of the job: its imports are not followed.
DATA_SOURCES = (
    FileSourceField,
    ResourceSourceField,
    DockerImageSourceField,
    AzureMLJobSourceField,
)


class InferJobDependencies(InferDependenciesRequest):
    infer_from = JobFieldSet


@rule(desc="Infer the dependencies of a job")
async def infer_job_dependencies(
    request: InferJobDependencies, azureml: AzureMLSubsystem
) -> InferredDependencies:
    # Errors are reported where the job is used: a broken job must not break `list` or `test`.
    job = await Get(JobCode, JobFieldSet, request.field_set)
    environments = [
        glob for unit in job.units if unit.environment for glob in unit.environment.globs
    ]
    # An image's packages are chosen for the platform that this file describes.
    platform = [azureml.image_platform] if environments else []
    globs = (*environments, *platform, *(pattern_of(path) for path in job.documents))
    paths = await Get(Paths, PathGlobs(globs, GlobMatchErrorBehavior.ignore))
    owners = await Get(Candidates, CandidatesRequest(paths.files))
    loaded = await MultiGet(Get(LoadedCode, LoadedCodeRequest, each) for each in job.requests)
    data = [
        target for path in paths.files for target in owners_of_data(owners.by_path.get(path, ()))
    ]
    addresses = {target.address for target in data}
    # When a file of a build context is removed, only the generator of its target is left. Resources
    # have files of any use: a generator would be a dependency on all of them.
    addresses |= {
        target.address.maybe_convert_to_target_generator()
        for target in data
        if target.has_field(FileSourceField)
    }
    addresses.update(address for code in loaded for address in code.dependencies)
    return InferredDependencies(sorted(addresses - {request.field_set.address}))


def owners_of_data(owners: Sequence[Target]) -> list[Target]:
    """Return the targets that hold the file as data or, without any, the images built from it."""
    of_kind = ([each for each in owners if each.has_field(kind)] for kind in DATA_SOURCES)
    return next((found for found in of_kind if found), [])


def rules():
    return [*collect_rules(), UnionRule(InferDependenciesRequest, InferJobDependencies)]
