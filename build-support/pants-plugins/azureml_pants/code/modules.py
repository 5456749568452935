"""Which targets have the modules that no file of the snapshot is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from azureml_jobs.imports.result import OutsideModule
from azureml_pants.code.listed_packages import ListedPackages
from pants.backend.python.dependency_inference.module_mapper import (
    FirstPartyPythonMappingImpl,
    FirstPartyPythonMappingImplMarker,
    FirstPartyPythonModuleMapping,
    FirstPartyPythonTargetsMappingMarker,
    ModuleProviderType,
    PossibleModuleProvider,
    ThirdPartyPythonModuleMapping,
)
from pants.engine.addresses import Address
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.unions import UnionMembership
from pants.util.frozendict import FrozenDict


@dataclass(frozen=True)
class ModuleOwnersRequest:
    modules: tuple[OutsideModule, ...]
    resolve: str


@dataclass(frozen=True)
class ModuleOwners:
    """The requirements that have a module, or the targets from which its code is generated."""

    requirements: FrozenDict[OutsideModule, tuple[Address, ...]]
    generators: FrozenDict[OutsideModule, tuple[Address, ...]]

    @property
    def addresses(self) -> tuple[Address, ...]:
        found = (*self.requirements.values(), *self.generators.values())
        return tuple(sorted({address for owners in found for address in owners}))

    def has(self, module: OutsideModule) -> bool:
        return module in self.requirements or module in self.generators


@dataclass(frozen=True)
class GeneratedModules:
    """The modules that are generated, with the targets from which they are."""

    mappings: tuple[FirstPartyPythonModuleMapping, ...]


@rule
async def find_generated_modules(union_membership: UnionMembership) -> GeneratedModules:
    kinds = union_membership.get(FirstPartyPythonMappingImplMarker)
    found = await MultiGet(
        Get(FirstPartyPythonMappingImpl, FirstPartyPythonMappingImplMarker, kind())
        for kind in kinds
        # Of files of Python: those that exist decide, with a target and a source root or without.
        if kind is not FirstPartyPythonTargetsMappingMarker
    )
    return GeneratedModules(tuple(FirstPartyPythonModuleMapping(each) for each in found))


@rule
async def find_module_owners(
    request: ModuleOwnersRequest,
    packages: ListedPackages,
    generated: GeneratedModules,
) -> ModuleOwners:
    return ModuleOwners(
        owners_in((packages.modules,), request.modules, request.resolve),
        owners_in(generated.mappings, request.modules, request.resolve),
    )


def owners_in(
    mappings: Iterable[ThirdPartyPythonModuleMapping | FirstPartyPythonModuleMapping],
    modules: Iterable[OutsideModule],
    resolve: str,
) -> FrozenDict[OutsideModule, tuple[Address, ...]]:
    found = {
        module: {
            address
            for mapping in mappings
            for name in module.dotted_names
            for address in nearest(mapping.providers_for_module(name, resolve))
        }
        for module in modules
    }
    return FrozenDict({module: tuple(sorted(owners)) for module, owners in found.items() if owners})


def nearest(providers: Iterable[PossibleModuleProvider]) -> list[Address]:
    """Return who has the module itself or, without one, its closest parent; no type stubs."""
    real = [each for each in providers if each.provider.typ == ModuleProviderType.IMPL]
    best = min((each.ancestry for each in real), default=0)
    return [each.provider.addr for each in real if each.ancestry == best]
