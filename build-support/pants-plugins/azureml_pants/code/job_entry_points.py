"""What a job runs: the entry points of its job file's command and of its target's field."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.jobfile.command.entry_point import declared_entry_point
from azureml_pants.code.entry_points import (
    EntryPointOwners,
    EntryPointOwnersRequest,
    unowned_errors,
)
from azureml_pants.code.job_fields import (
    AzureMLJobDependenciesField,
    AzureMLJobEntryPointField,
    AzureMLJobSourceField,
)
from azureml_pants.code.job_file import JobFile, JobFileRequest
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.engine.addresses import Address
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import FieldSet


@dataclass(frozen=True)
class JobFieldSet(FieldSet):
    required_fields = (AzureMLJobSourceField, AzureMLJobDependenciesField)

    source: AzureMLJobSourceField
    entry_point: AzureMLJobEntryPointField
    resolve: PythonResolveField

    @classmethod
    def of(cls, field_set) -> JobFieldSet:
        """Return the same fields of a goal's own field set, so that goals share what is found."""
        return JobFieldSet(
            field_set.address, field_set.source, field_set.entry_point, field_set.resolve
        )


@dataclass(frozen=True)
class JobEntryPointsRequest:
    field_set: JobFieldSet


@dataclass(frozen=True)
class JobEntryPoints:
    job_file: JobFile
    of_command: EntryPointOwners
    of_field: EntryPointOwners

    @property
    def addresses(self) -> tuple[Address, ...]:
        return (*self.of_command.addresses, *self.of_field.addresses)

    def errors(self, job: Address) -> tuple[str, ...]:
        """Return the errors of the job file, or one for each entry point without an owner."""
        return (
            *self.job_file.errors,
            *unowned_errors(
                f"{self.job_file.path}: command", self.of_command, "the folder of `code:`"
            ),
            *unowned_errors(f"{job}: entry_point", self.of_field, "the BUILD file"),
        )


@rule
async def find_job_entry_points(
    request: JobEntryPointsRequest, python_setup: PythonSetup
) -> JobEntryPoints:
    field_set = request.field_set
    address = field_set.address
    declared = field_set.entry_point.value
    resolve = field_set.resolve.normalized_value(python_setup)
    job_file = await Get(JobFile, JobFileRequest(field_set.source.path))
    code_folder = job_file.needs.code_folder if job_file.needs else address.spec_path
    of_command, of_field = await MultiGet(
        Get(
            EntryPointOwners,
            EntryPointOwnersRequest(
                address,
                resolve,
                folders=(code_folder,),
                entry_points=job_file.needs.entry_points if job_file.needs else (),
            ),
        ),
        Get(
            EntryPointOwners,
            EntryPointOwnersRequest(
                address,
                resolve,
                folders=(address.spec_path, code_folder),
                entry_points=(declared_entry_point(declared),) if declared else (),
            ),
        ),
    )
    return JobEntryPoints(job_file, of_command, of_field)


def rules():
    return collect_rules()
