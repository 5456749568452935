"""The targets of single BUILD files, without a look at the targets of all others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pants.engine.environment import ChosenLocalEnvironmentName, EnvironmentName
from pants.engine.internals.build_files import AddressFamilyDir, OptionalAddressFamily
from pants.engine.internals.parametrize import (
    _TargetParametrizations,
    _TargetParametrizationsRequest,
)
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import Target, TargetGenerator

# What Pants names as the one that asks.
ORIGIN = "code of a command"
_PATTERN = frozenset("*?[")


@dataclass(frozen=True)
class FolderTargetsRequest:
    folder: str


@dataclass(frozen=True)
class FolderTargets:
    """The targets that the BUILD file of a folder has; none without a file."""

    targets: tuple[Target, ...]
    generators: tuple[TargetGenerator, ...] = ()


@rule
async def find_folder_targets(
    request: FolderTargetsRequest, environment: ChosenLocalEnvironmentName
) -> FolderTargets:
    # Pants would take the name for a pattern, which has the BUILD files of other folders.
    if not _PATTERN.isdisjoint(request.folder):
        return FolderTargets(())
    read = await Get(OptionalAddressFamily, AddressFamilyDir(request.folder))
    family = read.address_family
    expanded = await MultiGet(
        Get(
            _TargetParametrizations,
            {
                _TargetParametrizationsRequest(
                    address, description_of_origin=ORIGIN
                ): _TargetParametrizationsRequest,
                environment.val: EnvironmentName,
            },
        )
        for address in (family.addresses_to_target_adaptors if family else ())
    )
    found = [target for targets in expanded for target in targets.all]
    return FolderTargets(
        tuple(each for each in found if not isinstance(each, TargetGenerator)),
        tuple(each for each in found if isinstance(each, TargetGenerator)),
    )


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders above a path, the build root last."""
    while path:
        path = path.rpartition("/")[0]
        yield path
