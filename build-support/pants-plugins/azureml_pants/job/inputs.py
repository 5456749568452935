"""What `run` and `package` hand to the job tool for one job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from azureml_jobs.jobfile.needs import JobNeeds
from azureml_jobs.protocol import SOURCES_FOLDER, JobRequest, UnitFiles, requirements_file
from azureml_pants.code.imports import ImportErrors, ImportErrorsRequest
from azureml_pants.code.job_entry_points import JobEntryPoints, JobEntryPointsRequest, JobFieldSet
from azureml_pants.code.target_files import TargetFiles, TargetFilesRequest
from azureml_pants.environment.image import context_root
from azureml_pants.environment.packages import LockedRequirements, LockedRequirementsRequest
from pants.backend.docker.target_types import DockerImageContextRootField
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.pex_cli import PexCli
from pants.engine.addresses import Address
from pants.engine.fs import (
    EMPTY_DIGEST,
    AddPrefix,
    CreateDigest,
    Digest,
    DigestContents,
    FileContent,
    GlobMatchErrorBehavior,
    MergeDigests,
    PathGlobs,
    Snapshot,
)
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import AllTargets, Target
from pants.version import VERSION


@dataclass(frozen=True)
class JobInputsRequest:
    field_set: JobFieldSet


@dataclass(frozen=True)
class JobInputs:
    """`digest` holds the job's files below `sources/`, and its packages; not the request."""

    request: JobRequest
    digest: Digest


@dataclass(frozen=True)
class JobFilesRequest:
    """Collect the files and packages of a job whose job file and imports have no errors."""

    address: Address
    job_file: str
    needs: JobNeeds
    resolve: str


@dataclass(frozen=True)
class JobFiles:
    """`digest` holds the job's files below `sources/`, and its packages."""

    digest: Digest
    unit: UnitFiles


@rule
async def collect_job_files(request: JobFilesRequest) -> JobFiles:
    found, environment, job_file = await MultiGet(
        Get(TargetFiles, TargetFilesRequest(request.address, request.needs.code_folder)),
        Get(Snapshot, PathGlobs(request.needs.environment_globs(), GlobMatchErrorBehavior.ignore)),
        Get(Digest, PathGlobs([request.job_file])),
    )
    locked, sources = await MultiGet(
        Get(LockedRequirements, LockedRequirementsRequest(request.resolve, found.requirements)),
        Get(Digest, MergeDigests((found.digest, environment.digest, job_file))),
    )
    below, (requirements,) = await MultiGet(
        Get(Digest, AddPrefix(sources, SOURCES_FOLDER)),
        Get(DigestContents, Digest, locked.digest),
    )
    renamed = await Get(
        Digest, CreateDigest([FileContent(requirements_file(""), requirements.content)])
    )
    digest = await Get(Digest, MergeDigests((below, renamed)))
    return JobFiles(digest, UnitFiles("", found.files, environment.files, locked.packages))


@rule(desc="Gather a job")
async def gather_job(
    request: JobInputsRequest,
    python_setup: PythonSetup,
    pex_cli: PexCli,
    all_targets: AllTargets,
) -> JobInputs:
    field_set = request.field_set
    entry_points = await Get(JobEntryPoints, JobEntryPointsRequest(field_set))
    job_file, needs = entry_points.job_file.path, entry_points.job_file.needs
    resolve = field_set.resolve.normalized_value(python_setup)
    job = JobRequest(
        address=str(field_set.address),
        job_file=job_file,
        documents=(job_file,),
        units=(),
        versions={"pants": VERSION, "pex": pex_cli.version.lstrip("v")},
        errors=entry_points.errors(field_set.address),
    )
    if needs is None or job.errors:
        return JobInputs(job, EMPTY_DIGEST)
    imports = await Get(
        ImportErrors,
        # An environment that is not built from a context has its own packages.
        ImportErrorsRequest((field_set.address,), is_locked=needs.build_context is not None),
    )
    if imports.messages:
        return JobInputs(replace(job, errors=imports.messages), EMPTY_DIGEST)
    found = await Get(JobFiles, JobFilesRequest(field_set.address, job_file, needs, resolve))
    unit = replace(found.unit, image_target=image_target(all_targets, needs.build_context))
    return JobInputs(replace(job, units=(unit,)), found.digest)


def image_target(targets: Iterable[Target], context: str | None) -> str | None:
    """Return the address of what builds an image from `context`, relative to the build root."""
    for target in targets:
        root = target.get(DockerImageContextRootField).value
        if root and context_root(root, target.address.spec_path) == context:
            return str(target.address)
    return None


def rules():
    return collect_rules()
