"""The check for requirements that are listed and not locked, before anything is installed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from azureml_jobs.base.credentials import credentials_errors
from azureml_jobs.base.errors import JobError
from azureml_jobs.locks.lock import ListedRequirement, read_lock, stale_lock
from azureml_pants.code.import_errors import CheckRequirementsRequest, RequirementErrors
from azureml_pants.code.listed_packages import ListedPackages
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import (
    PythonRequirementResolveField,
    PythonRequirementsField,
)
from pants.engine.fs import DigestContents, FileContent, PathGlobs
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import Target
from pants.engine.unions import UnionRule


@dataclass(frozen=True)
class CheckLocksRequest(CheckRequirementsRequest):
    pass


@rule
async def find_stale_locks(
    request: CheckLocksRequest, packages: ListedPackages, python_setup: PythonSetup
) -> RequirementErrors:
    listed = listed_requirements(request.targets, python_setup)
    resolves = sorted(resolve for resolve in listed if resolve in python_setup.resolves)
    locks = await MultiGet(
        Get(DigestContents, PathGlobs([python_setup.resolves[resolve]])) for resolve in resolves
    )
    errors = [
        stale_lock(
            python_setup.resolves[resolve],
            resolve,
            packages.files_of(resolve),
            read_lock(contents[0].content.decode(errors="replace")) if contents else None,
            listed[resolve],
        )
        for resolve, contents in zip(resolves, locks)
    ]
    leaks = [
        *(error for target in request.targets for error in target_leaks(target)),
        *(error for file in chain(*locks) for error in lock_leaks(file)),
    ]
    return RequirementErrors(tuple(str(error) for error in (*leaks, *errors) if error))


def target_leaks(target: Target) -> list[JobError]:
    """Return an error for each requirement of the target whose address has credentials."""
    if not target.has_field(PythonRequirementsField):
        return []
    return credentials_errors(str(target.address), map(str, target[PythonRequirementsField].value))


def lock_leaks(lock: FileContent) -> list[JobError]:
    """Return an error for each line of a lock that has an address with credentials."""
    lines = lock.content.decode(errors="replace").splitlines()
    return [
        error
        for number, line in enumerate(lines, start=1)
        for error in credentials_errors(f"{lock.path}:{number}", [line.strip()])
    ]


def listed_requirements(
    targets: Iterable[Target], python_setup: PythonSetup
) -> dict[str, list[ListedRequirement]]:
    """Return the requirements of each resolve.

    Those for some systems or Pythons alone are left out, because a lock may leave them out, too.
    """
    listed = defaultdict(list)
    for target in targets:
        if target.has_field(PythonRequirementsField):
            resolve = target[PythonRequirementResolveField].normalized_value(python_setup)
            for each in target[PythonRequirementsField].value:
                requirement = each.as_pkg_resources_requirement()
                if not requirement.marker:
                    listed[resolve].append(
                        ListedRequirement(each.project_name, str(each), requirement.__contains__)
                    )
    return listed


def rules():
    return [*collect_rules(), UnionRule(CheckRequirementsRequest, CheckLocksRequest)]
