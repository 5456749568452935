"""Which targets own the files and modules that something runs."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.command.entry_point import EntryPoint
from azureml_pants.code.owners import best_owner, runs_module
from pants.backend.python.dependency_inference.module_mapper import (
    PythonModuleOwners,
    PythonModuleOwnersRequest,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import GlobMatchErrorBehavior, PathGlobs, Paths
from pants.engine.internals.graph import Owners, OwnersRequest
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import Targets
from pants.source.source_root import OptionalSourceRoot, SourceRootRequest


@dataclass(frozen=True)
class EntryPointOwnersRequest:
    """Look for `entry_points` below `folders`, then below the source root of `address`."""

    address: Address
    resolve: str
    folders: tuple[str, ...]
    entry_points: tuple[EntryPoint, ...]


@dataclass(frozen=True)
class EntryPointOwners:
    """`files` are those entry points that are files of the repository, in their order.

    `unowned` are the entry points that need an owner and have none. `of_other_resolves` are targets
    that own one of these for another resolve than the requested one.
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
    modules = [point for point in request.entry_points if point.kind == "module"]
    existing = await Get(
        Paths, PathGlobs(literal_paths(candidates.values()), GlobMatchErrorBehavior.ignore)
    )
    module_owners = await MultiGet(
        Get(
            PythonModuleOwners,
            PythonModuleOwnersRequest(
                point.value, request.resolve, locality=request.address.spec_path
            ),
        )
        for point in modules
    )
    # Only of files that exist: Pants would name the owner that a deleted file had.
    paths = sorted(set(existing.files))
    path_owners = await MultiGet(Get(Owners, OwnersRequest((path,))) for path in paths)
    path_targets = await MultiGet(Get(Targets, Addresses(owners)) for owners in path_owners)
    module_targets = await MultiGet(
        Get(Targets, Addresses(owners.unambiguous)) for owners in module_owners
    )
    return choose_owners(
        candidates,
        dict(zip(paths, path_targets)),
        dict(zip(modules, module_targets)),
        request.resolve,
        python_setup,
    )


def literal_paths(candidates: Iterable[Iterable[str]]) -> list[str]:
    """Return those paths that Pants does not take for globs: a command may hold any word."""
    return sorted(
        {
            path
            for paths in candidates
            for path in paths
            if not path.startswith("!") and not set("*?[]").intersection(path)
        }
    )


def choose_owners(
    candidates: Mapping[EntryPoint, tuple[str, ...]],
    targets_of_path: Mapping[str, Targets],
    targets_of_module: Mapping[EntryPoint, Targets],
    resolve: str,
    python_setup: PythonSetup,
) -> EntryPointOwners:
    """Choose one owner for each entry point, or several where a module has type stubs as well."""
    owner_of_path = {
        path: owner
        for path, targets in targets_of_path.items()
        if (owner := best_owner(targets, resolve, python_setup))
    }
    found: dict[EntryPoint, tuple[Address, ...]] = {}
    files = []
    for point, paths in candidates.items():
        file = next((path for path in paths if path in owner_of_path), None)
        if file is not None:
            files.append(file)
            found[point] = (owner_of_path[file],)
        else:
            targets = targets_of_module.get(point, ())
            found[point] = tuple(each.address for each in targets if runs_module(each, point.value))
    unowned = tuple(
        point
        for point, owners in found.items()
        if not owners and point.kind != "file" and not point.is_part_of_python
    )
    unowned_paths = {path for point in unowned for path in candidates[point]}
    return EntryPointOwners(
        addresses=tuple(sorted({owner for owners in found.values() for owner in owners})),
        files=tuple(dict.fromkeys(files)),
        unowned=unowned,
        of_other_resolves=tuple(
            target.address
            for path, targets in targets_of_path.items()
            for target in targets
            if path in unowned_paths and target.has_field(PythonResolveField)
        ),
    )


def unowned_errors(where: str, owners: EntryPointOwners, base: str) -> tuple[str, ...]:
    """Return a message for each entry point that no target owns.

    `where` names the file and key, or the field, that holds them. They are relative to `base`.
    """
    elsewhere = ", ".join(sorted({str(address) for address in owners.of_other_resolves}))
    return tuple(str(_unowned(where, point, base, elsewhere)) for point in owners.unowned)


def _unowned(where: str, point: EntryPoint, base: str, elsewhere: str) -> JobError:
    kind = "module" if point.kind == "module" else "file"
    if elsewhere:
        return JobError(
            where,
            f"no target of the job's resolve owns the {kind} {point.value}",
            f"Give the job the same `resolve` as {elsewhere}.",
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


def rules():
    return collect_rules()
