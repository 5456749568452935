"""Everything of one job that the job tool is given, by `run` and by `package` alike."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, replace

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.command.entry_point import EntryPoint
from azureml_jobs.protocol import (
    REQUEST_FILE,
    SOURCES_FOLDER,
    JobRequest,
    LintRequest,
    LockedPackages,
    NotebookRequest,
    ScriptRequest,
)
from azureml_pants.rules.closure import Closure, ClosureRequest
from azureml_pants.rules.docker_images import context_root
from azureml_pants.rules.entry_points import (
    EntryPointOwners,
    JobEntryPoints,
    JobEntryPointsRequest,
    JobInferenceFieldSet,
)
from azureml_pants.rules.imports import (
    ImportErrors,
    ImportErrorsRequest,
)
from azureml_pants.rules.packages import LockedRequirements, LockedRequirementsRequest
from pants.backend.docker.target_types import DockerImageContextRootField
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.pex_cli import PexCli
from pants.engine.addresses import Address
from pants.engine.fs import (
    AddPrefix,
    CreateDigest,
    Digest,
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
    field_set: JobInferenceFieldSet


@dataclass(frozen=True)
class JobInputs:
    """`digest` holds the closure below `sources/`, and `requirements.txt`; no request yet."""

    request: JobRequest
    digest: Digest


@rule(desc="Gather a job")
async def gather_job(
    wrapped: JobInputsRequest,
    python_setup: PythonSetup,
    pex_cli: PexCli,
    all_targets: AllTargets,
) -> JobInputs:
    field_set = wrapped.field_set
    found = await Get(JobEntryPoints, JobEntryPointsRequest(field_set))
    resolve = field_set.resolve.normalized_value(python_setup)
    request = JobRequest(
        address=str(field_set.address),
        job_file=found.job_file.path,
        files=(),
        context_files=(),
        packages=LockedPackages(resolve, python_setup.resolves[resolve], "", ()),
        versions={"pants": VERSION, "pex": pex_cli.version.lstrip("v")},
        errors=entry_point_errors(field_set.address, found),
    )
    if found.job_file.needs is None or request.errors:
        return JobInputs(request, await Get(Digest, CreateDigest([])))
    needs = found.job_file.needs
    imports = await Get(
        ImportErrors,
        # An image or a registered environment has packages of its own.
        ImportErrorsRequest((field_set.address,), is_locked=needs.build_context is not None),
    )
    if imports.messages:
        request = replace(request, errors=imports.messages)
        return JobInputs(request, await Get(Digest, CreateDigest([])))
    closure, environment, job_file = await MultiGet(
        Get(Closure, ClosureRequest(field_set.address)),
        Get(
            Snapshot,
            PathGlobs(needs.environment_globs(), GlobMatchErrorBehavior.ignore),
        ),
        Get(Digest, PathGlobs([found.job_file.path])),
    )
    locked = await Get(LockedRequirements, LockedRequirementsRequest(resolve, closure.requirements))
    sources = await Get(Digest, MergeDigests((closure.digest, environment.digest, job_file)))
    below = await Get(Digest, AddPrefix(sources, SOURCES_FOLDER))
    return JobInputs(
        replace(
            request,
            files=closure.files,
            context_files=environment.files,
            packages=locked.packages,
            image_target=image_target(all_targets, found.job_file.needs.build_context),
        ),
        await Get(Digest, MergeDigests((below, locked.digest))),
    )


def image_target(targets: Iterable[Target], context: str | None) -> str | None:
    """Address of what builds an image from the folder `context`, relative to the build root."""
    for target in targets:
        root = target.get(DockerImageContextRootField).value
        if root and context_root(root, target.address.spec_path) == context:
            return str(target.address)
    return None


def entry_point_errors(address: Address, found: JobEntryPoints) -> tuple[str, ...]:
    """What to tell of a job file that cannot be read, and of what it runs and nobody owns."""
    return (
        *found.job_file.errors,
        *unowned_errors(
            f"{found.job_file.path}: command", found.of_command, "the folder of `code:`"
        ),
        *unowned_errors(f"{address}: entry_point", found.of_field, "the BUILD file"),
    )


def unowned_errors(where: str, owners: EntryPointOwners, base: str) -> tuple[str, ...]:
    """What to tell of entry points that no target owns.

    `where` is the place that names them, `base` what they are named relative to.
    """
    elsewhere = ", ".join(sorted({str(address) for address in owners.of_other_resolves}))
    return tuple(str(_unowned(where, point, base, elsewhere)) for point in owners.unowned)


def _unowned(where: str, point: EntryPoint, base: str, elsewhere: str) -> JobError:
    kind = "module" if point.kind == "module" else "file"
    if elsewhere:
        return JobError(
            where,
            f"no target of the job's resolve owns the {kind} {point.value}",
            f"Write the same `resolve` for the job as for {elsewhere}.",
        )
    example = f'`files(name="scripts", sources=["{posixpath.basename(point.value)}"])`'
    if kind == "module" or point.value.endswith(".py"):
        example = '`python_sources(name="lib")`'
    return JobError(
        where,
        f"no target owns the {kind} {point.value}",
        f"Check its name, which is relative to {base}. A new file needs a target that owns it in "
        f"the BUILD file of its folder, such as {example}.",
    )


def request_file(
    request: JobRequest | ScriptRequest | NotebookRequest | LintRequest,
) -> CreateDigest:
    return CreateDigest([FileContent(REQUEST_FILE, request.to_json())])


def rules():
    return collect_rules()
