"""The packages that the repository lists, and the files that list them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from azureml_pants.code.build_folders import ORIGIN, FolderTargets, FolderTargetsRequest
from pants.backend.python.dependency_inference.module_mapper import (
    AllPythonTargets,
    ThirdPartyPythonModuleMapping,
)
from pants.backend.python.macros.python_requirements import PythonRequirementsSourceField
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import (
    PythonRequirementResolveField,
    PythonRequirementsField,
)
from pants.base.specs import RawSpecsWithoutFileOwners, RecursiveGlobSpec
from pants.engine.internals.mapper import AddressFamilies
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import RegisteredTargetTypes, Target
from pants.engine.unions import UnionMembership
from pants.util.frozendict import FrozenDict


@dataclass(frozen=True)
class ListedPackages:
    """The `python_requirement` targets of the repository, and the modules that they have.

    `files` are those that list the requirements of each resolve.
    """

    targets: tuple[Target, ...]
    modules: ThirdPartyPythonModuleMapping
    files: FrozenDict[str, tuple[str, ...]]

    def files_of(self, resolve: str) -> tuple[str, ...]:
        return self.files.get(resolve, ())


@rule(desc="Find the packages that are listed")
async def find_listed_packages(
    types: RegisteredTargetTypes, union_membership: UnionMembership, python_setup: PythonSetup
) -> ListedPackages:
    # Pants' own `AllPythonTargets` needs every target of every experiment.
    families = await Get(
        AddressFamilies,
        RawSpecsWithoutFileOwners(
            recursive_globs=(RecursiveGlobSpec(""),), description_of_origin=ORIGIN
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
    targets = sorted(
        (
            target
            for folder in folders
            for target in folder.targets
            if target.has_field(PythonRequirementsField)
        ),
        key=lambda target: target.address,
    )
    lists = {
        (each.address.spec_path, each.address.target_name): each[
            PythonRequirementsSourceField
        ].file_path
        for folder in folders
        for each in folder.generators
        if each.has_field(PythonRequirementsSourceField)
    }
    files = defaultdict(set)
    for target in targets:
        path = lists.get((target.address.spec_path, target.address.target_name))
        if path:
            resolve = target[PythonRequirementResolveField].normalized_value(python_setup)
            files[resolve].add(path)
    return ListedPackages(
        tuple(targets),
        await Get(ThirdPartyPythonModuleMapping, AllPythonTargets((), tuple(targets))),
        FrozenDict({resolve: tuple(sorted(paths)) for resolve, paths in files.items()}),
    )
