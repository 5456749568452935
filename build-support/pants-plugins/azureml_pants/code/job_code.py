"""What the commands of a job load."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.overlay import pattern_of
from azureml_jobs.jobfile.command.code import CommandCode
from azureml_jobs.jobfile.units import CodeUnit
from azureml_jobs.protocol import NeededFile
from azureml_pants.code.entry_point import EntryPoint, EntryPointRequest
from azureml_pants.code.job_fields import (
    AzureMLComponentSourceField,
    AzureMLJobDependenciesField,
    AzureMLJobEntryPointField,
    AzureMLJobSourceField,
)
from azureml_pants.code.job_units import JobUnits, JobUnitsRequest
from azureml_pants.code.loaded_code import CheckedCode, CheckedCodeRequest, LoadedCodeRequest
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.engine.addresses import Address
from pants.engine.fs import DigestContents, FileContent, GlobMatchErrorBehavior, PathGlobs
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import FieldSet


@dataclass(frozen=True)
class JobFieldSet(FieldSet):
    required_fields = (AzureMLJobSourceField, AzureMLJobDependenciesField)

    source: AzureMLJobSourceField
    entry_point: AzureMLJobEntryPointField
    resolve: PythonResolveField

    @classmethod
    def of(cls, field_set: JobFieldSet) -> JobFieldSet:
        """Return the same fields of a goal's own field set, so that goals share what is found."""
        return JobFieldSet(
            field_set.address, field_set.source, field_set.entry_point, field_set.resolve
        )


@dataclass(frozen=True)
class JobCode:
    """`requests` are what each of the units loads."""

    documents: tuple[str, ...]
    units: tuple[CodeUnit, ...]
    requests: tuple[LoadedCodeRequest, ...]
    errors: tuple[str, ...]


@rule
async def find_job_code(field_set: JobFieldSet, python_setup: PythonSetup) -> JobCode:
    read = await Get(JobUnits, JobUnitsRequest(field_set.source.path))
    declared = field_set.entry_point.value
    points = await MultiGet(
        Get(EntryPoint, EntryPointRequest(field_set.address, declared or "", unit.code.path))
        for unit in read.units
        if declared
    )
    resolve = field_set.resolve.normalized_value(python_setup)
    requests = tuple(unit_request(unit, field_set.address, resolve) for unit in read.units)
    if points:
        requests = tuple(with_point(each, point) for each, point in zip(requests, points))
    errors = dict.fromkeys(point.error for point in points if point.error)
    wrong = kind_errors(field_set.source, read.kind)
    return JobCode(read.documents, read.units, requests, (*read.errors, *wrong, *errors))


def kind_errors(source: AzureMLJobSourceField, kind: str) -> tuple[str, ...]:
    """Return the error that the file of a component target is something else."""
    is_expected = not kind or kind.endswith(" component")
    if is_expected or not isinstance(source, AzureMLComponentSourceField):
        return ()
    error = JobError(
        source.path,
        f"this is a {kind}, and {source.address} is a component",
        "Write the `$schema` of a component as its first line, for example\n"
        "`$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json`,\n"
        "or make the target an `azureml_job`.",
    )
    return (str(error),)


def unit_request(unit: CodeUnit, address: Address, resolve: str) -> LoadedCodeRequest:
    # Code in git or in the workspace is Azure ML's to fetch.
    starts = unit.starts if unit.code.path is not None else CommandCode((), (), (), ())
    return LoadedCodeRequest(address, resolve, unit.code, starts, unit.where)


def with_point(request: LoadedCodeRequest, point: EntryPoint) -> LoadedCodeRequest:
    """Return the request for what the entry point of a target loads as well."""
    module = (point.module,) if point.module else ()
    starts = replace(request.starts, python=(*request.starts.python, *module))
    return replace(request, starts=starts, entries=(point.file,) if point.file else ())


@dataclass(frozen=True)
class CheckedUnits:
    """How the code of each unit was checked, and the errors of the job with those of all units.

    `package_errors` are those of them for which the packages are not known, either.
    """

    job: JobCode
    requests: tuple[CheckedCodeRequest, ...]
    files: tuple[NeededFile, ...]
    requirements: tuple[str, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    package_errors: tuple[str, ...]


@rule(desc="Check the code of a job")
async def check_job_code(field_set: JobFieldSet) -> CheckedUnits:
    job = await Get(JobCode, JobFieldSet, field_set)
    contexts = await MultiGet(
        Get(DigestContents, PathGlobs(context_globs(unit), GlobMatchErrorBehavior.ignore))
        for unit in job.units
    )
    locked = [has_lock(context) for context in contexts]
    requests = tuple(
        CheckedCodeRequest(code, is_locked and not code.starts.installs_packages, is_locked)
        for code, is_locked in zip(job.requests, locked)
    )
    checked = await MultiGet(Get(CheckedCode, CheckedCodeRequest, each) for each in requests)
    return CheckedUnits(
        job,
        requests,
        tuple(dict.fromkeys(file for unit in checked for file in unit.files)),
        tuple(sorted({name for unit in checked for name in unit.requirements})),
        (*job.errors, *dict.fromkeys(error for unit in checked for error in unit.errors)),
        tuple(dict.fromkeys(warning for unit in checked for warning in unit.warnings)),
        (*job.errors, *dict.fromkeys(each for unit in checked for each in unit.package_errors)),
    )


def context_globs(unit: CodeUnit) -> tuple[str, ...]:
    """Return globs of the files that say which packages the image of a unit has."""
    if unit.build_context is None:
        return ()
    build: Any = unit.environment.value.get("build") if unit.environment else None
    name = build.get("dockerfile_path") if isinstance(build, Mapping) else None
    folder = pattern_of(unit.build_context)
    dockerfile = pattern_of(str(name or "Dockerfile"))
    return (f"{folder}/{dockerfile}", f"{folder}/requirements.txt")


def has_lock(context: Collection[FileContent]) -> bool:
    """Return whether an image has the locked packages and no others."""
    installs = any(b"requirements.txt" in file.content for file in context)
    # The bundle adds this file where the folder does not have it.
    return installs and not any(file.path.endswith("/requirements.txt") for file in context)
