"""The packages that an image needs: those that its jobs import."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.base.errors import raise_errors
from azureml_pants.code.imports import ImportErrors, ImportErrorsRequest
from azureml_pants.code.target_files import TargetFiles, TargetFilesRequest
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
    imports = await Get(
        ImportErrors, ImportErrorsRequest(tuple(job.address for job in jobs), is_locked=True)
    )
    raise_errors(imports.messages)
    found = await MultiGet(Get(TargetFiles, TargetFilesRequest(job.address)) for job in jobs)
    return LockedRequirementsRequest(
        jobs[0][PythonResolveField].normalized_value(python_setup),
        tuple(sorted({name for each in found for name in each.requirements})),
    )


def rules():
    return collect_rules()
