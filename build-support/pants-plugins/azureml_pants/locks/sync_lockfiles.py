"""Define the goal `sync-lockfiles`, which changes as little of a lock as possible."""

from __future__ import annotations

from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.locks.sync import check_names, write_locks
from azureml_pants.locks.synced_lock import SyncedLock
from pants.backend.python.goals.lockfile import (
    GeneratePythonLockfile,
    RequestedPythonUserResolveNames,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.base.build_root import BuildRoot
from pants.core.goals.generate_lockfiles import UserGenerateLockfiles
from pants.engine.console import Console
from pants.engine.fs import Workspace
from pants.engine.goal import Goal, GoalSubsystem
from pants.engine.rules import Get, MultiGet, goal_rule
from pants.option.option_types import StrListOption
from pants.util.strutil import help_text, softwrap


class SyncLockfilesSubsystem(GoalSubsystem):
    name = "sync-lockfiles"
    help = help_text("""
        Bring lockfiles in line with their requirements, with the least change.

        Example: add a package to `3rdparty/python/experiments-requirements.txt`, then run
        `./pants sync-lockfiles`.

        What is locked and still fits stays as it is. New packages and what they need are added,
        packages that nothing needs any more go, and another version is taken only where a
        requirement or a new package asks for it. A lock that fits is not touched.

        To take newer releases of everything, run `./pants generate-lockfiles`. From 2.32 on, Pants
        has `generate-lockfiles --sync` for the same purpose.
        """)

    resolve = StrListOption(
        default=[],
        help=softwrap("""
            The resolve whose lockfile is synced, e.g. `experiments`; may be given several times.
            Without it, all of `[python].resolves` whose requirements were changed are.
            """),
    )


class SyncLockfiles(Goal):
    subsystem_cls = SyncLockfilesSubsystem
    environment_behavior = Goal.EnvironmentBehavior.LOCAL_ONLY


@goal_rule
async def sync_lockfiles(
    console: Console,
    workspace: Workspace,
    build_root: BuildRoot,
    options: SyncLockfilesSubsystem,
    python_setup: PythonSetup,
) -> SyncLockfiles:
    try:
        names = check_names(options.resolve, python_setup.resolves)
        locks = await Get(UserGenerateLockfiles, RequestedPythonUserResolveNames(names))
    except JobError as error:
        console.print_stderr(str(error))
        return SyncLockfiles(error.status)
    synced = await MultiGet(
        Get(SyncedLock, GeneratePythonLockfile, lock)
        for lock in locks
        if isinstance(lock, GeneratePythonLockfile)
    )
    errors = [lock.error for lock in synced if lock.error]
    if errors:
        console.print_stderr("\n\n".join(str(error) for error in errors))
        return SyncLockfiles(max(error.status for error in errors))
    # Without this, the engine would run the goal again when it sees that files have changed.
    workspace.side_effected()
    try:
        contents = {lock.path: lock.content for lock in synced if lock.content is not None}
        write_locks(Path(build_root.path), contents)
    except JobError as error:
        console.print_stderr(str(error))
        return SyncLockfiles(error.status)
    messages = [lock.message for lock in synced if lock.content is not None or options.resolve]
    console.print_stdout("\n\n".join(messages) or f"Nothing to do: {len(synced)} locks fit.")
    return SyncLockfiles(0)
