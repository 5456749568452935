"""Requirements that are listed and not locked, told before anything is installed from the lock."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from azureml_jobs.locks.lock import read_lock
from azureml_jobs.locks.stale import ListedRequirement, stale_lock
from azureml_pants.rules.requirement_files import RequirementFiles
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import (
    PythonRequirementResolveField,
    PythonRequirementsField,
)
from pants.engine.fs import DigestContents, PathGlobs
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import Target


@dataclass(frozen=True)
class StaleLocksRequest:
    """Look at the locks for these `python_requirement` targets; others are passed over."""

    targets: tuple[Target, ...]


@dataclass(frozen=True)
class StaleLocks:
    """What to tell the user; nothing when the locks have all that is asked for."""

    messages: tuple[str, ...]


@rule
async def find_stale_locks(request: StaleLocksRequest, python_setup: PythonSetup) -> StaleLocks:
    listed = defaultdict(list)
    for target in request.targets:
        if target.has_field(PythonRequirementsField):
            resolve = target[PythonRequirementResolveField].normalized_value(python_setup)
            listed[resolve].extend(_listed(target[PythonRequirementsField]))
    resolves = sorted(resolve for resolve in listed if resolve in python_setup.resolves)
    files = await Get(RequirementFiles)
    locks = await MultiGet(
        Get(DigestContents, PathGlobs([python_setup.resolves[resolve]])) for resolve in resolves
    )
    errors = [
        stale_lock(
            python_setup.resolves[resolve],
            resolve,
            files.of(resolve),
            read_lock(contents[0].content.decode(errors="replace")) if contents else None,
            listed[resolve],
        )
        for resolve, contents in zip(resolves, locks)
    ]
    return StaleLocks(tuple(str(error) for error in errors if error))


def _listed(field: PythonRequirementsField) -> list[ListedRequirement]:
    """But for those of some systems or Pythons alone, which a lock may leave out."""
    found = []
    for each in field.value:
        requirement = each.as_pkg_resources_requirement()
        if not requirement.marker:
            found.append(
                ListedRequirement(
                    each.project_name,
                    str(each),
                    requirement.__contains__,
                )
            )
    return found


def rules():
    return collect_rules()
