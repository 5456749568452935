"""The packages that an image needs: those that its jobs import."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_pants.base.errors import raise_errors
from azureml_pants.code.job_code import CheckedUnits, JobFieldSet
from azureml_pants.code.loaded_code import CheckedCode, CheckedCodeRequest
from azureml_pants.environment.fields import LockedRequirementsJobsField
from azureml_pants.environment.packages import LockedRequirementsRequest
from pants.backend.python.subsystems.setup import PythonSetup
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import Target, UnexpandedTargets


@dataclass(frozen=True)
class NeededPackagesRequest:
    """What the jobs of a `locked_requirements` target import."""

    target: Target


async def find_jobs(target: Target) -> list[JobFieldSet]:
    """Return the jobs that a `locked_requirements` target names: at least one."""
    field = target[LockedRequirementsJobsField]
    jobs = await Get(UnexpandedTargets, UnparsedAddressInputs, field.to_unparsed_address_inputs())
    others = [str(job.address) for job in jobs if not JobFieldSet.is_applicable(job)]
    if others or not jobs:
        what = f"{', '.join(others)} is no job" if others else "it names no job"
        remedy = 'Write the `azureml_job` that runs in the image, for example `jobs=[":job"]`.'
        raise_errors([str(JobError(f"{target.address}: jobs", what, remedy))])
    return [JobFieldSet.create(job) for job in jobs]


@rule
async def find_needed_packages(
    request: NeededPackagesRequest, python_setup: PythonSetup
) -> LockedRequirementsRequest:
    jobs = await find_jobs(request.target)
    checked = await MultiGet(Get(CheckedUnits, JobFieldSet, job) for job in jobs)
    raise_errors(dict.fromkeys(error for job in checked for error in job.package_errors))
    return LockedRequirementsRequest(
        jobs[0].resolve.normalized_value(python_setup),
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
    jobs = await find_jobs(request.target)
    checked = await MultiGet(Get(CheckedUnits, JobFieldSet, job) for job in jobs)
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
