"""The packages that an image needs: those that its jobs import."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.base.errors import raise_errors
from azureml_pants.code.job_code import CheckedUnits, JobFieldSet
from azureml_pants.code.loaded_code import CheckedCode, CheckedCodeRequest
from azureml_pants.environment.fields import LockedRequirementsJobsField
from azureml_pants.environment.packages import LockedRequirementsRequest
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import Target, Targets


@dataclass(frozen=True)
class NeededPackagesRequest:
    """What the jobs of a `locked_requirements` target import."""

    target: Target


@rule
async def find_needed_packages(
    request: NeededPackagesRequest, python_setup: PythonSetup
) -> LockedRequirementsRequest:
    field = request.target[LockedRequirementsJobsField]
    jobs = await Get(Targets, UnparsedAddressInputs, field.to_unparsed_address_inputs())
    checked = await MultiGet(
        Get(CheckedUnits, JobFieldSet, JobFieldSet.create(job)) for job in jobs
    )
    raise_errors(dict.fromkeys(error for job in checked for error in job.package_errors))
    return LockedRequirementsRequest(
        jobs[0][PythonResolveField].normalized_value(python_setup),
        tuple(sorted({name for job in checked for name in job.requirements})),
    )


@dataclass(frozen=True)
class UnitPackagesRequest:
    """What each command imports that runs in the image which is built from the folder `context`."""

    target: Target
    context: str


@dataclass(frozen=True)
class UnitPackages:
    requests: frozenset[LockedRequirementsRequest]


@rule
async def find_unit_packages(request: UnitPackagesRequest) -> UnitPackages:
    field = request.target[LockedRequirementsJobsField]
    jobs = await Get(Targets, UnparsedAddressInputs, field.to_unparsed_address_inputs())
    checked = await MultiGet(
        Get(CheckedUnits, JobFieldSet, JobFieldSet.create(job)) for job in jobs
    )
    codes = [
        code
        for each in checked
        for unit, code in zip(each.job.units, each.requests)
        if unit.build_context == request.context
    ]
    loaded = await MultiGet(Get(CheckedCode, CheckedCodeRequest, code) for code in codes)
    return UnitPackages(
        frozenset(
            LockedRequirementsRequest(code.code.resolve, each.requirements)
            for code, each in zip(codes, loaded)
        )
    )
