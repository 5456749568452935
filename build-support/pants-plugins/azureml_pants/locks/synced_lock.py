"""A lock that fits its requirements, made by pex from what the present one holds."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.locks.changes import tell_changes
from azureml_jobs.locks.failure import as_error
from azureml_jobs.locks.lock import Lock, Pin, canonical_name
from azureml_jobs.locks.search import Search
from azureml_jobs.locks.sync import check_requirements, parse_old
from azureml_pants.code.requirement_files import RequirementFiles
from pants.backend.python.goals.lockfile import (
    GeneratePythonLockfile,
    _setup_pip_args_and_constraints_file,
)
from pants.backend.python.pip_requirement import PipRequirement
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.lockfile_metadata import PythonLockfileMetadata
from pants.backend.python.util_rules.pex_cli import PexCliProcess
from pants.backend.python.util_rules.pex_requirements import ResolvePexConfig
from pants.core.goals.generate_lockfiles import GenerateLockfilesSubsystem
from pants.core.util_rules.lockfile_metadata import InvalidLockfileError
from pants.engine.fs import (
    CreateDigest,
    Digest,
    DigestContents,
    FileContent,
    MergeDigests,
    PathGlobs,
)
from pants.engine.process import FallibleProcessResult, ProcessCacheScope
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.util.docutil import bin_name

logger = logging.getLogger(__name__)

_PINS = "__locked_versions.txt"
_LOCK = "lock.json"


@dataclass(frozen=True)
class SyncLockRequest:
    lock: GeneratePythonLockfile


@dataclass(frozen=True)
class SyncedLock:
    """`content` is None for a lock that fits, and with an `error`."""

    path: str
    content: bytes | None = None
    message: str = ""
    error: JobError | None = None


@dataclass(frozen=True)
class SearchRequest:
    """Look for a lock that holds as many of `pins` as possible; `inputs` are those of pip."""

    lock: GeneratePythonLockfile
    pins: tuple[Pin, ...]
    pip_args: tuple[str, ...]
    inputs: Digest


@rule
async def search_lock(request: SearchRequest, python_setup: PythonSetup) -> Search:
    search = Search(request.pins)
    while search.pins is not None:
        pins = await Get(
            Digest,
            CreateDigest([FileContent(_PINS, "".join(f"{pin}\n" for pin in search.pins).encode())]),
        )
        inputs = await Get(Digest, MergeDigests([request.inputs, pins]))
        pip_args = (*request.pip_args, f"--constraints={_PINS}")
        ran = await Get(
            FallibleProcessResult,
            PexCliProcess,
            lock_process(request.lock, pip_args, inputs, python_setup),
        )
        if ran.exit_code:
            search = search.after_failure(ran.stderr.decode(errors="replace"))
            if search.pins is not None:
                path = request.lock.lockfile_dest
                logger.info(f"{path}: some locked versions cannot stay; searching again")
        else:
            created = await Get(DigestContents, Digest, ran.output_digest)
            search = search.after_success(Lock(created[0].content.decode()))
    return search


@rule(desc="Sync a lockfile")
async def sync_lock(
    request: SyncLockRequest, generate_lockfiles: GenerateLockfilesSubsystem
) -> SyncedLock:
    lock = request.lock
    path = lock.lockfile_dest
    pip = await _setup_pip_args_and_constraints_file(lock.resolve_name)
    lists, present = await MultiGet(Get(RequirementFiles), Get(DigestContents, PathGlobs([path])))
    content = present[0].content if present else b""
    where = " and ".join(lists.of(lock.resolve_name)) or f"the resolve {lock.resolve_name}"
    try:
        check_requirements(where, lock.resolve_name, lock.requirements)
        old = parse_old(path, lock.resolve_name, content.decode(errors="replace"))
    except JobError as error:
        return SyncedLock(path, error=error)
    metadata = lock_metadata(lock, pip.resolve_config)
    if old and fits(content, metadata):
        return SyncedLock(path, message=f"{path}: nothing to do, it fits its requirements.")

    pins = pins_to_hold(old, lock.requirements, pip.resolve_config) if old else ()
    search = await Get(Search, SearchRequest(lock, pins, tuple(pip.args), pip.digest))
    if search.found is None:
        return SyncedLock(path, error=as_error(where, lock.resolve_name, search.failure))
    message = tell_changes(path, old, search.found)
    synced = metadata.add_header_to_lockfile(
        search.found.keeping(old, search.held).encode(),
        regenerate_command=(
            generate_lockfiles.custom_command
            or f"{bin_name()} generate-lockfiles --resolve={lock.resolve_name}"
        ),
        delimeter="//",
    )
    return SyncedLock(path, synced, message)


def lock_process(
    lock: GeneratePythonLockfile,
    pip_args: Iterable[str],
    inputs: Digest,
    python_setup: PythonSetup,
) -> PexCliProcess:
    """Return what Pants' own `generate-lockfiles` runs, with `pip_args`. A test compares the two.

    It is not `pex3 lock sync`: build-support/decisions/sync-lockfiles.md says why.
    """
    return PexCliProcess(
        subcommand=("lock", "create"),
        extra_args=(
            f"--output={_LOCK}",
            "--no-emit-warnings",
            "--style=universal",
            "--pip-version",
            python_setup.pip_version.value,
            "--resolver-version",
            "pip-2020-resolver",
            "--target-system",
            "linux",
            "--target-system",
            "mac",
            "--indent=2",
            *pip_args,
            *lock.interpreter_constraints.generate_pex_arg_list(),
            *lock.requirements,
        ),
        additional_input_digest=inputs,
        output_files=(_LOCK,),
        description=f"Sync the lockfile of {lock.resolve_name}",
        # The package index may have other releases next time.
        cache_scope=ProcessCacheScope.PER_SESSION,
    )


def lock_metadata(lock: GeneratePythonLockfile, config: ResolvePexConfig) -> PythonLockfileMetadata:
    """Return the header, by which Pants decides whether a lock is valid."""
    constraints = config.constraints_file
    return PythonLockfileMetadata.new(
        valid_for_interpreter_constraints=lock.interpreter_constraints,
        requirements=parsed(lock.requirements),
        manylinux=config.manylinux,
        requirement_constraints=set(constraints.constraints) if constraints else set(),
        only_binary=set(config.only_binary),
        no_binary=set(config.no_binary),
    )


def fits(content: bytes, metadata: PythonLockfileMetadata) -> bool:
    """Return whether the lock was made for exactly this, with no requirement too many either."""
    try:
        return PythonLockfileMetadata.from_lockfile(content, delimeter="//") == metadata
    except (InvalidLockfileError, KeyError):
        return False


def pins_to_hold(
    lock: Lock, requirements: Iterable[str], config: ResolvePexConfig
) -> tuple[Pin, ...]:
    """Return the locked versions that the user's requirements and constraints allow."""
    constraints = config.constraints_file.constraints if config.constraints_file else ()
    limits = [each.as_pkg_resources_requirement() for each in (*parsed(requirements), *constraints)]
    # A pin that the user's own constraints hold as well would look like ours in the lock.
    theirs = {str(each) for each in constraints}
    return tuple(
        pin
        for pin in lock.pins
        if str(pin) not in theirs
        and all(
            limit.marker or limit.specifier.contains(pin.version, prereleases=True)
            for limit in limits
            if canonical_name(limit.project_name) == canonical_name(pin.name)
        )
    )


def parsed(requirements: Iterable[str]) -> set[PipRequirement]:
    return {PipRequirement.parse(each) for each in requirements}


def rules():
    return collect_rules()
