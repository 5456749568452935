"""Which targets own the files that a command runs, and from there what a job depends on."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.command.entry_point import EntryPoint, declared_entry_point
from azureml_jobs.jobfile.needs import JobNeeds, read_job_needs
from azureml_pants.ownership import best_owner, runs_module
from azureml_pants.target_types import (
    AzureMLJobDependenciesField,
    AzureMLJobEntryPointField,
    AzureMLJobSourceField,
    AzureMLLocalDependenciesField,
    AzureMLLocalEntryPointField,
)
from pants.backend.python.dependency_inference.module_mapper import (
    PythonModuleOwners,
    PythonModuleOwnersRequest,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import DigestContents, GlobMatchErrorBehavior, PathGlobs, Paths
from pants.engine.internals.graph import Owners, OwnersRequest
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import FieldSet, InferDependenciesRequest, InferredDependencies, Targets
from pants.engine.unions import UnionRule
from pants.source.source_root import OptionalSourceRoot, SourceRootRequest


@dataclass(frozen=True)
class JobFileRequest:
    """Read a job file; `path` is relative to the build root."""

    path: str


@dataclass(frozen=True)
class JobFile:
    """A job file as far as the plugin needs to know it; `needs` is None when it has errors."""

    path: str
    needs: JobNeeds | None
    errors: tuple[str, ...]


@rule
async def read_job_file(request: JobFileRequest) -> JobFile:
    contents = await Get(
        DigestContents,
        PathGlobs([request.path], glob_match_error_behavior=GlobMatchErrorBehavior.ignore),
    )
    try:
        if not contents:
            raise JobError(
                request.path,
                "there is no such file",
                "Write the job file, or name another one in the target's `source` field.",
            )
        try:
            text = contents[0].content.decode()
        except UnicodeDecodeError as error:
            raise JobError(
                request.path, f"not text in UTF-8 (byte {error.start})", "Save it as UTF-8."
            ) from error
        return JobFile(request.path, read_job_needs(text, request.path), ())
    except JobError as error:
        return JobFile(request.path, None, (str(error),))


@dataclass(frozen=True)
class EntryPointOwnersRequest:
    """Find the owners of `entry_points`: below `folders`, then the source root of `address`."""

    address: Address
    resolve: str
    folders: tuple[str, ...]
    entry_points: tuple[EntryPoint, ...]


@dataclass(frozen=True)
class EntryPointOwners:
    """`files` are those of the entry points that stand in the repository, in their order.

    `unowned` are the entry points that must have an owner and have none. `of_other_resolves` are
    targets that own one of those for another resolve than the one that was asked for.
    """

    addresses: tuple[Address, ...]
    files: tuple[str, ...]
    unowned: tuple[EntryPoint, ...]
    of_other_resolves: tuple[Address, ...] = ()


@rule
async def find_entry_point_owners(
    request: EntryPointOwnersRequest, python_setup: PythonSetup
) -> EntryPointOwners:
    source_root = await Get(
        OptionalSourceRoot, SourceRootRequest, SourceRootRequest.for_address(request.address)
    )
    roots = (source_root.source_root.path,) if source_root.source_root else ()
    candidates = {
        point: point.candidate_paths(request.folders[0], (*request.folders[1:], *roots))
        for point in request.entry_points
    }
    # Pants takes paths for globs; a word of a command that is none of its globs must not stop it.
    every_path = sorted(
        {
            path
            for paths in candidates.values()
            for path in paths
            if not path.startswith("!") and not set("*?[]").intersection(path)
        }
    )
    modules = [point for point in request.entry_points if point.kind == "module"]
    existing = await Get(Paths, PathGlobs(every_path, GlobMatchErrorBehavior.ignore))
    module_owners = await MultiGet(
        Get(
            PythonModuleOwners,
            PythonModuleOwnersRequest(
                point.value, request.resolve, locality=request.address.spec_path
            ),
        )
        for point in modules
    )
    # Without the look at what exists, Pants would name the owner that a deleted file had.
    paths = sorted(set(existing.files))
    owners = await MultiGet(Get(Owners, OwnersRequest((path,))) for path in paths)
    owning_targets = await MultiGet(Get(Targets, Addresses(owner)) for owner in owners)
    owner_of = {
        path: owner
        for path, targets in zip(paths, owning_targets)
        if (owner := best_owner(targets, request.resolve, python_setup))
    }
    file_of = {
        point: path
        for point in request.entry_points
        for path in reversed(candidates[point])
        if path in owner_of
    }
    module_targets = await MultiGet(
        Get(Targets, Addresses(owners.unambiguous)) for owners in module_owners
    )
    # Two when a package of type stubs goes with the package.
    owners_of_module = {
        point: tuple(target.address for target in targets if runs_module(target, point.value))
        for point, targets in zip(modules, module_targets)
    }
    found = {
        point: (
            (owner_of[file_of[point]],) if point in file_of else owners_of_module.get(point, ())
        )
        for point in request.entry_points
    }
    unowned = tuple(
        point
        for point, owners in found.items()
        if not owners and point.kind != "file" and not point.is_part_of_python
    )
    unowned_paths = {path for point in unowned for path in candidates[point]}
    return EntryPointOwners(
        addresses=tuple(sorted({owner for owners in found.values() for owner in owners})),
        files=tuple(dict.fromkeys(file_of[point] for point in found if point in file_of)),
        unowned=unowned,
        of_other_resolves=tuple(
            target.address
            for path, targets in zip(paths, owning_targets)
            for target in targets
            if path in unowned_paths and target.has_field(PythonResolveField)
        ),
    )


@dataclass(frozen=True)
class JobInferenceFieldSet(FieldSet):
    required_fields = (AzureMLJobSourceField, AzureMLJobDependenciesField)

    source: AzureMLJobSourceField
    entry_point: AzureMLJobEntryPointField
    resolve: PythonResolveField

    @classmethod
    def of(cls, field_set) -> JobInferenceFieldSet:
        """The same of another goal's field set: so Pants shares what it found among goals."""
        return JobInferenceFieldSet(
            field_set.address, field_set.source, field_set.entry_point, field_set.resolve
        )


class InferJobDependencies(InferDependenciesRequest):
    infer_from = JobInferenceFieldSet


@dataclass(frozen=True)
class JobEntryPointsRequest:
    """What the command and the `entry_point` field of a job target name."""

    field_set: JobInferenceFieldSet


@dataclass(frozen=True)
class JobEntryPoints:
    job_file: JobFile
    of_command: EntryPointOwners
    of_field: EntryPointOwners


@rule
async def find_job_entry_points(
    request: JobEntryPointsRequest, python_setup: PythonSetup
) -> JobEntryPoints:
    field_set = request.field_set
    declared = field_set.entry_point.value
    job_file = await Get(JobFile, JobFileRequest(field_set.source.path))
    resolve = field_set.resolve.normalized_value(python_setup)
    build_folder = field_set.address.spec_path
    code_folder = job_file.needs.code_folder if job_file.needs else build_folder
    of_command, of_field = await MultiGet(
        Get(
            EntryPointOwners,
            EntryPointOwnersRequest(
                address=field_set.address,
                resolve=resolve,
                folders=(code_folder,),
                entry_points=job_file.needs.entry_points if job_file.needs else (),
            ),
        ),
        Get(
            EntryPointOwners,
            EntryPointOwnersRequest(
                address=field_set.address,
                resolve=resolve,
                folders=(build_folder, code_folder),
                entry_points=(declared_entry_point(declared),) if declared else (),
            ),
        ),
    )
    return JobEntryPoints(job_file, of_command, of_field)


@rule(desc="Infer what a job depends on")
async def infer_job_dependencies(request: InferJobDependencies) -> InferredDependencies:
    # Mistakes are told where the job is used: a broken job must not break `list` or `test`.
    found = await Get(JobEntryPoints, JobEntryPointsRequest(request.field_set))
    return InferredDependencies((*found.of_command.addresses, *found.of_field.addresses))


@dataclass(frozen=True)
class LocalInferenceFieldSet(FieldSet):
    required_fields = (AzureMLLocalEntryPointField, AzureMLLocalDependenciesField)

    entry_point: AzureMLLocalEntryPointField
    resolve: PythonResolveField


class InferLocalDependencies(InferDependenciesRequest):
    infer_from = LocalInferenceFieldSet


@dataclass(frozen=True)
class LocalEntryPointRequest:
    """The script that the `entry_point` field of a local target names."""

    field_set: LocalInferenceFieldSet


@rule
async def find_local_entry_point(
    request: LocalEntryPointRequest, python_setup: PythonSetup
) -> EntryPointOwners:
    field_set = request.field_set
    return await Get(
        EntryPointOwners,
        EntryPointOwnersRequest(
            address=field_set.address,
            resolve=field_set.resolve.normalized_value(python_setup),
            folders=(field_set.address.spec_path,),
            entry_points=(declared_entry_point(field_set.entry_point.value or ""),),
        ),
    )


@rule(desc="Infer what a local script depends on")
async def infer_local_dependencies(request: InferLocalDependencies) -> InferredDependencies:
    found = await Get(EntryPointOwners, LocalEntryPointRequest(request.field_set))
    return InferredDependencies(found.addresses)


def rules():
    return [
        *collect_rules(),
        UnionRule(InferDependenciesRequest, InferJobDependencies),
        UnionRule(InferDependenciesRequest, InferLocalDependencies),
    ]
