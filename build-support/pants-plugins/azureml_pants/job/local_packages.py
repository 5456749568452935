"""The packages that a job needs on this machine: those of its commands, and of a sweep's search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from azureml_jobs.protocol import PackagesVenv, UnitFiles
from azureml_pants.code.build_folders import ListedPackages
from azureml_pants.environment.packages import InstalledPackages, InstallPackagesRequest
from azureml_pants.job_tool.installation import TOOL_PACKAGES, TOOL_RESOLVE
from pants.backend.python.dependency_inference.module_mapper import (
    ModuleProviderType,
    ThirdPartyPythonModuleMapping,
)
from pants.backend.python.target_types import PythonRequirementsField
from pants.backend.python.util_rules.pex_environment import CompletePexEnvironment
from pants.engine.addresses import Address
from pants.engine.fs import Digest, MergeDigests
from pants.engine.rules import Get, MultiGet, rule
from pants.util.frozendict import FrozenDict

# What chooses the values of a sweep.
SEARCH_PACKAGES = ("optuna", "scipy")


@dataclass(frozen=True)
class LocalPackagesRequest:
    """Packages for the commands `units`; `has_sweep` asks for those of a search as well."""

    units: tuple[UnitFiles, ...]
    has_sweep: bool
    environment: CompletePexEnvironment


@dataclass(frozen=True)
class LocalPackages:
    """`units` have their virtual environments; `digest` holds the scripts that recreate these."""

    units: tuple[UnitFiles, ...]
    search: PackagesVenv | None
    digest: Digest


@rule
async def install_local_packages(
    request: LocalPackagesRequest,
    packages: ListedPackages,
) -> LocalPackages:
    wanted = [
        InstallPackagesRequest(unit.packages.resolve, needed_packages(unit), request.environment)
        for unit in request.units
    ]
    if request.has_sweep:
        search = (*TOOL_PACKAGES, *SEARCH_PACKAGES)
        wanted.append(InstallPackagesRequest(TOOL_RESOLVE, search, request.environment))
    installed = await MultiGet(
        Get(InstalledPackages, InstallPackagesRequest, each) for each in wanted
    )
    requirements_of = {
        target.address: {str(each) for each in target[PythonRequirementsField].value}
        for target in packages.targets
    }
    return LocalPackages(
        tuple(
            replace(
                unit,
                venv=each.venv,
                unused_modules=unused_modules(unit, packages.modules, requirements_of),
            )
            for unit, each in zip(request.units, installed)
        ),
        installed[-1].venv if request.has_sweep else None,
        await Get(Digest, MergeDigests({each.digest for each in installed})),
    )


def needed_packages(unit: UnitFiles) -> tuple[str, ...] | None:
    """Return what the code imports, or None for all: nobody knows what a foreign image has."""
    return unit.packages.requirements if unit.context_files else None


def unused_modules(
    unit: UnitFiles,
    third_party: ThirdPartyPythonModuleMapping,
    requirements_of: Mapping[Address, set[str]],
) -> tuple[tuple[str, str], ...]:
    """Return the modules of the packages that the resolve lists, but the unit is not given."""
    if needed_packages(unit) is None:
        return ()
    modules = third_party.resolves_to_modules_to_providers.get(unit.packages.resolve, FrozenDict())
    return tuple(
        (module, str(provider.addr))
        for module, providers in modules.items()
        for provider in providers
        if provider.typ == ModuleProviderType.IMPL
        and requirements_of[provider.addr].isdisjoint(unit.packages.requirements)
    )
