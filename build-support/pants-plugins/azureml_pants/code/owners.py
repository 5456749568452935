"""Which target is the owner of a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField, PythonSourceField
from pants.backend.shell.target_types import ShellSourceField
from pants.core.target_types import FileSourceField, ResourceSourceField
from pants.engine.addresses import Address
from pants.engine.rules import rule
from pants.engine.target import AllTargets, OptionalSingleSourceField, Target
from pants.util.frozendict import FrozenDict

# What can be sent, most specific first. A file can be code for one target and data for another.
# `shell_source` exists only where pants.toml enables that backend; the class always does.
SNAPSHOT_SOURCES = (PythonSourceField, ShellSourceField, ResourceSourceField, FileSourceField)


@dataclass(frozen=True)
class AllOwners:
    """The targets whose one source each file of the repository is."""

    by_path: FrozenDict[str, tuple[Target, ...]]


@rule(desc="Find the owners of files")
async def find_all_owners(targets: AllTargets) -> AllOwners:
    by_path = defaultdict(list)
    for target in targets:
        path = target.get(OptionalSingleSourceField).file_path
        if path is not None:
            by_path[path].append(target)
    return AllOwners(FrozenDict((path, tuple(found)) for path, found in by_path.items()))


def source_kind(target: Target) -> int | None:
    """Return the place of its source field in `SNAPSHOT_SOURCES`, None when it has no such file."""
    kinds = (kind for kind, field in enumerate(SNAPSHOT_SOURCES) if target.has_field(field))
    return next(kinds, None)


@dataclass(frozen=True)
class OwnersRequest:
    paths: tuple[str, ...]
    resolve: str


@dataclass(frozen=True)
class FileOwners:
    """The owner of each file that has one."""

    by_path: FrozenDict[str, Address]


@rule
async def find_owners(
    request: OwnersRequest, owners: AllOwners, python_setup: PythonSetup
) -> FileOwners:
    found = {
        path: best_owner(owners.by_path.get(path, ()), request.resolve, python_setup)
        for path in request.paths
    }
    return FileOwners(FrozenDict({path: owner for path, owner in found.items() if owner}))


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
