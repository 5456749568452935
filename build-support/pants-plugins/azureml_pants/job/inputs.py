"""What `run` and `package` hand to the job tool for one job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from azureml_jobs.imports.overlay import pattern_of
from azureml_jobs.protocol import SOURCES_FOLDER, JobRequest, UnitFiles, requirements_file
from azureml_pants.base.options import AzureMLSubsystem
from azureml_pants.code.build_folders import (
    FolderTargets,
    FolderTargetsRequest,
    folders_above,
)
from azureml_pants.code.job_code import CheckedUnits, JobFieldSet
from azureml_pants.code.listed_packages import ListedPackages
from azureml_pants.code.loaded_code import CheckedCode, CheckedCodeRequest
from azureml_pants.code.source_roots import SourceRoots
from azureml_pants.code.sources import ImagePython
from azureml_pants.environment.image import context_root
from azureml_pants.environment.packages import LockedRequirements, LockedRequirementsRequest
from pants.backend.docker.target_types import DockerImageContextRootField
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.pex_cli import PexCli
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
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import AllTargets, Target
from pants.version import VERSION


@dataclass(frozen=True)
class JobInputs:
    """`digest` holds the job's files below `sources/`, and its packages; not the request."""

    request: JobRequest
    digest: Digest


@dataclass(frozen=True)
class UnitInputsRequest:
    """`environment` are globs of the files that the unit's environment is built from.

    `context` is the folder of the image among them, if there is one.
    """

    name: str
    code: CheckedCodeRequest
    environment: tuple[str, ...]
    context: str | None


@dataclass(frozen=True)
class UnitInputs:
    """`digest` holds the unit's files below `sources/`, and its packages."""

    files: UnitFiles
    digest: Digest


async def find_image_target(context: str | None) -> str | None:
    """Return the address of what builds an image from a folder, relative to the build root."""
    if context is None:
        return None
    near = await MultiGet(
        Get(FolderTargets, FolderTargetsRequest(folder)) for folder in folders_above(f"{context}/x")
    )
    targets = [target for folder in near for target in folder.targets]
    return image_target(targets, context) or image_target(await Get(AllTargets), context)


def image_target(targets: Iterable[Target], context: str) -> str | None:
    for target in targets:
        has_root = target.get(DockerImageContextRootField).value
        if has_root and context_root(target) == context:
            return str(target.address)
    return None


@rule
async def collect_unit(request: UnitInputsRequest) -> UnitInputs:
    code = await Get(CheckedCode, CheckedCodeRequest, request.code)
    environment, locked = await MultiGet(
        Get(Snapshot, PathGlobs(request.environment, GlobMatchErrorBehavior.ignore)),
        Get(
            LockedRequirements,
            LockedRequirementsRequest(request.code.code.resolve, code.requirements),
        ),
    )
    sources, (requirements,) = await MultiGet(
        Get(Digest, MergeDigests((code.digest, environment.digest))),
        Get(DigestContents, Digest, locked.digest),
    )
    named = FileContent(requirements_file(request.name), requirements.content)
    below, renamed = await MultiGet(
        Get(Digest, AddPrefix(sources, SOURCES_FOLDER)), Get(Digest, CreateDigest([named]))
    )
    image = await find_image_target(request.context)
    return UnitInputs(
        UnitFiles(request.name, code.files, environment.files, locked.packages, image),
        await Get(Digest, MergeDigests((below, renamed))),
    )


@rule(desc="Gather a job")
async def gather_job(
    field_set: JobFieldSet,
    pex_cli: PexCli,
    roots: SourceRoots,
    python: ImagePython,
    python_setup: PythonSetup,
    packages: ListedPackages,
    azureml: AzureMLSubsystem,
) -> JobInputs:
    checked = await Get(CheckedUnits, JobFieldSet, field_set)
    job = checked.job
    lists = packages.files_of(field_set.resolve.normalized_value(python_setup))
    message = JobRequest(
        address=str(field_set.address),
        job_file=field_set.source.path,
        documents=job.documents,
        units=(),
        versions={
            "pants": VERSION,
            "pex": pex_cli.version.lstrip("v"),
            "python": ".".join(map(str, python.version)),
        },
        source_roots=roots.paths,
        errors=checked.errors,
        warnings=checked.warnings,
        deciding_files=(*lists, azureml.image_platform),
        allow=tuple(azureml.allow),
    )
    if message.errors:
        return JobInputs(message, EMPTY_DIGEST)
    documents = await Get(Digest, PathGlobs(pattern_of(path) for path in job.documents))
    below = await Get(Digest, AddPrefix(documents, SOURCES_FOLDER))
    units = await MultiGet(
        Get(
            UnitInputs,
            UnitInputsRequest(
                unit.name,
                code,
                unit.environment.globs if unit.environment else (),
                unit.build_context,
            ),
        )
        for unit, code in zip(job.units, checked.requests)
    )
    digest = await Get(Digest, MergeDigests((below, *(unit.digest for unit in units))))
    return JobInputs(replace(message, units=tuple(unit.files for unit in units)), digest)
