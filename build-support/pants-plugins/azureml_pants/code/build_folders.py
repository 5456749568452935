"""The targets of single BUILD files, without a look at the targets of all others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pants.backend.python.dependency_inference.module_mapper import (
    AllPythonTargets,
    ThirdPartyPythonModuleMapping,
)
from pants.backend.python.target_types import PythonRequirementsField
from pants.base.specs import RawSpecsWithoutFileOwners, RecursiveGlobSpec
from pants.engine.environment import ChosenLocalEnvironmentName, EnvironmentName
from pants.engine.internals.build_files import AddressFamilyDir, OptionalAddressFamily
from pants.engine.internals.mapper import AddressFamilies
from pants.engine.internals.parametrize import (
    _TargetParametrizations,
    _TargetParametrizationsRequest,
)
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import RegisteredTargetTypes, Target, TargetGenerator
from pants.engine.unions import UnionMembership

_ORIGIN = "code of a command"


@dataclass(frozen=True)
class FolderTargetsRequest:
    folder: str


@dataclass(frozen=True)
class FolderTargets:
    """The targets that the BUILD file of a folder has, without generators; none without a file."""

    targets: tuple[Target, ...]


@rule
async def find_folder_targets(
    request: FolderTargetsRequest, environment: ChosenLocalEnvironmentName
) -> FolderTargets:
    found = await Get(OptionalAddressFamily, AddressFamilyDir(request.folder))
    family = found.address_family
    expanded = await MultiGet(
        Get(
            _TargetParametrizations,
            {
                _TargetParametrizationsRequest(
                    address, description_of_origin=_ORIGIN
                ): _TargetParametrizationsRequest,
                environment.val: EnvironmentName,
            },
        )
        for address in (family.addresses_to_target_adaptors if family else ())
    )
    return FolderTargets(
        tuple(
            target
            for targets in expanded
            for target in targets.all
            if not isinstance(target, TargetGenerator)
        )
    )


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders above a path, the build root last."""
    while path:
        path = path.rpartition("/")[0]
        yield path


@dataclass(frozen=True)
class ListedPackages:
    """The `python_requirement` targets of the repository, and the modules that they have."""

    targets: tuple[Target, ...]
    modules: ThirdPartyPythonModuleMapping


@rule(desc="Find the packages that are listed")
async def find_listed_packages(
    types: RegisteredTargetTypes, union_membership: UnionMembership
) -> ListedPackages:
    # Pants' own `AllPythonTargets` needs every target of every experiment.
    families = await Get(
        AddressFamilies,
        RawSpecsWithoutFileOwners(
            recursive_globs=(RecursiveGlobSpec(""),), description_of_origin=_ORIGIN
        ),
    )
    listing = {
        alias
        for alias, kind in types.aliases_to_types.items()
        for made in (kind, getattr(kind, "generated_target_cls", kind))
        if made.class_has_field(PythonRequirementsField, union_membership)
    }
    folders = await MultiGet(
        Get(FolderTargets, FolderTargetsRequest(family.namespace))
        for family in families
        if any(each.type_alias in listing for _, each in family.name_to_target_adaptors.values())
    )
    found = sorted(
        (
            target
            for folder in folders
            for target in folder.targets
            if target.has_field(PythonRequirementsField)
        ),
        key=lambda target: target.address,
    )
    return ListedPackages(
        tuple(found),
        await Get(ThirdPartyPythonModuleMapping, AllPythonTargets((), tuple(found))),
    )
