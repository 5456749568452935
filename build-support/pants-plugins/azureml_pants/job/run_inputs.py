"""What a run of a job needs: its inputs, and packages for its commands, a search, or Azure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from azureml_jobs.local.runtimes import only_docker
from azureml_jobs.protocol import RuntimeOptions, UnitFiles
from azureml_pants.code.job_code import JobFieldSet
from azureml_pants.code.job_units import JobUnits, JobUnitsRequest
from azureml_pants.code.listed_packages import ListedPackages
from azureml_pants.environment.packages import InstalledPackages, InstallPackagesRequest
from azureml_pants.job.inputs import JobInputs
from azureml_pants.job_tool.azure_packages import AzurePackages, AzurePackagesRequest
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

# With these arguments the job tool only prints something.
PRINT_ONLY = frozenset({"--dry-run", "--help", "-h"})
# What chooses the values of a sweep.
SEARCH_PACKAGES = ("optuna", "scipy")


@dataclass(frozen=True)
class RunInputsRequest:
    """What a run with these `arguments` needs: a job with its packages in virtual environments."""

    field_set: JobFieldSet
    arguments: tuple[str, ...]
    environment: CompletePexEnvironment


@rule
async def gather_run(
    request: RunInputsRequest, options: RuntimeOptions, packages: ListedPackages
) -> JobInputs:
    inputs, read = await MultiGet(
        Get(JobInputs, JobFieldSet, request.field_set),
        Get(JobUnits, JobUnitsRequest(request.field_set.source.path)),
    )
    message = replace(inputs.request, options=options)
    if message.errors or PRINT_ONLY.intersection(request.arguments):
        return JobInputs(message, inputs.digest)
    azure = await Get(AzurePackages, AzurePackagesRequest(request.environment, request.arguments))
    if azure.venv or not read.runs_here:
        digest = await Get(Digest, MergeDigests((inputs.digest, azure.digest)))
        return JobInputs(replace(message, azure=azure.venv), digest)
    # Nothing for a job that runs in Docker.
    units = () if only_docker(options.runtime, request.arguments) else message.units
    wanted = [
        InstallPackagesRequest(unit.packages.resolve, needed_packages(unit), request.environment)
        for unit in units
    ]
    if read.has_sweep:
        search = (*TOOL_PACKAGES, *SEARCH_PACKAGES)
        wanted.append(InstallPackagesRequest(TOOL_RESOLVE, search, request.environment))
    installed = await MultiGet(
        Get(InstalledPackages, InstallPackagesRequest, each) for each in wanted
    )
    requirements_of = {
        target.address: {str(each) for each in target[PythonRequirementsField].value}
        for target in packages.targets
    }
    with_venvs = tuple(
        replace(
            unit,
            venv=each.venv,
            unused_modules=unused_modules(unit, packages.modules, requirements_of),
        )
        for unit, each in zip(units, installed)
    )
    return JobInputs(
        replace(
            message,
            units=with_venvs or message.units,
            search=installed[-1].venv if read.has_sweep else None,
        ),
        await Get(Digest, MergeDigests({inputs.digest, *(each.digest for each in installed)})),
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
