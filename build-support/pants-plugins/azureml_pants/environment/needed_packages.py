"""The packages that an image needs: those that its jobs import."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.base.errors import raise_errors
from azureml_pants.code.job_code import CheckedUnits, JobCodeRequest, JobFieldSet
from azureml_pants.environment.fields import LockedRequirementsJobsField
from azureml_pants.environment.packages import LockedRequirementsRequest
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.rules import Get, MultiGet, collect_rules, rule
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
        Get(CheckedUnits, JobCodeRequest(JobFieldSet.create(job))) for job in jobs
    )
    raise_errors(error for job in checked for error in job.errors)
    return LockedRequirementsRequest(
        jobs[0][PythonResolveField].normalized_value(python_setup),
        tuple(sorted({name for job in checked for name in job.requirements})),
    )


def rules():
    return collect_rules()
