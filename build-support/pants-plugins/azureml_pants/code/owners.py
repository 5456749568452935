"""Which target is the owner of a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from azureml_pants.code.build_folders import (
    FolderTargets,
    FolderTargetsRequest,
    folders_above,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField, PythonSourceField
from pants.backend.shell.target_types import ShellSourceField
from pants.core.target_types import FileSourceField, ResourceSourceField
from pants.engine.addresses import Address
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import OptionalSingleSourceField, Target
from pants.util.frozendict import FrozenDict

# What can be sent, most specific first. A file can be code for one target and data for another.
# `shell_source` exists only where pants.toml enables that backend; the class always does.
SNAPSHOT_SOURCES = (PythonSourceField, ShellSourceField, ResourceSourceField, FileSourceField)


@dataclass(frozen=True)
class CandidatesRequest:
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Candidates:
    """The targets whose one source each file is."""

    by_path: FrozenDict[str, tuple[Target, ...]]


@rule
async def find_candidates(request: CandidatesRequest) -> Candidates:
    # A BUILD file has sources of its own folder and of those below it.
    folders = {folder for path in request.paths for folder in folders_above(path)}
    found = await MultiGet(
        Get(FolderTargets, FolderTargetsRequest(folder)) for folder in sorted(folders)
    )
    by_path = defaultdict(list)
    for target in (target for each in found for target in each.targets):
        by_path[target.get(OptionalSingleSourceField).file_path].append(target)
    return Candidates(
        FrozenDict({path: tuple(by_path[path]) for path in request.paths if path in by_path})
    )


def source_kind(target: Target) -> int | None:
    """Return the place of its source field in `SNAPSHOT_SOURCES`, None when it has no such file."""
    kinds = (kind for kind, field in enumerate(SNAPSHOT_SOURCES) if target.has_field(field))
    return next(kinds, None)


def best_owners(
    candidates: Candidates, resolve: str, python_setup: PythonSetup
) -> dict[str, Address]:
    """Return, for each file that has one, the owner to depend on."""
    found = {
        path: best_owner(targets, resolve, python_setup)
        for path, targets in candidates.by_path.items()
    }
    return {path: owner for path, owner in found.items() if owner}


def best_owner(
    targets: Iterable[Target], resolve: str, python_setup: PythonSetup
) -> Address | None:
    """Return the owner to depend on: code before resources and files, best of the same resolve.

    Among equals the one in the nearest BUILD file, then the first by name.
    """
    ranked = [
        (
            kind,
            not _has_resolve(target, resolve, python_setup),
            # All of their folders contain the file, so the longer path is the deeper one.
            -len(target.address.spec_path),
            target.address,
        )
        for target in targets
        if (kind := source_kind(target)) is not None
    ]
    return min(ranked)[-1] if ranked else None


def _has_resolve(target: Target, resolve: str, python_setup: PythonSetup) -> bool:
    if not target.has_field(PythonResolveField):
        return True
    return target[PythonResolveField].normalized_value(python_setup) == resolve
