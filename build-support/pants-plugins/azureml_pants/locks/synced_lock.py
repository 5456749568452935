"""Bring a lock in line with its requirements: uv chooses the versions, pex writes the lock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.locks.lock import Lock, describe_changes
from azureml_jobs.locks.sync import check_requirements, lock_error, parse_old
from azureml_pants.code.listed_packages import ListedPackages
from azureml_pants.locks.chosen_versions import choose_versions
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
from pants.engine.rules import Get, rule
from pants.option.global_options import GlobalOptions
from pants.util.docutil import bin_name

_CONSTRAINTS = "__chosen_versions.txt"
_LOCK = "lock.json"


@dataclass(frozen=True)
class SyncedLock:
    """`content` is None for a lock that fits, and with an `error`; `message` is for the user."""

    path: str
    content: bytes | None = None
    message: str = ""
    error: JobError | None = None


@rule(desc="Sync a lockfile")
async def sync_lock(
    lock: GeneratePythonLockfile,
    packages: ListedPackages,
    generate_lockfiles: GenerateLockfilesSubsystem,
    python_setup: PythonSetup,
    global_options: GlobalOptions,
) -> SyncedLock:
    path = lock.lockfile_dest
    pip = await _setup_pip_args_and_constraints_file(lock.resolve_name)
    present = await Get(DigestContents, PathGlobs([path]))
    content = present[0].content if present else b""
    where = " and ".join(packages.files_of(lock.resolve_name)) or f"the resolve {lock.resolve_name}"
    text = content.decode(errors="replace")
    try:
        check_requirements(where, lock.resolve_name, lock.requirements)
        old = parse_old(path, lock.resolve_name, text)
        metadata = lock_metadata(lock, pip.resolve_config)
        if old and fits(content, metadata):
            return SyncedLock(path, message=f"{path}: nothing to do, it fits its requirements.")
        chosen = await choose_versions(lock, text, where, python_setup, global_options)
    except JobError as error:
        return SyncedLock(path, error=error)
    pins = "".join(f"{each}\n" for each in chosen)
    constraints = await Get(Digest, CreateDigest([FileContent(_CONSTRAINTS, pins.encode())]))
    inputs = await Get(Digest, MergeDigests([pip.digest, constraints]))
    ran = await Get(
        FallibleProcessResult,
        PexCliProcess,
        lock_process(lock, (*pip.args, f"--constraints={_CONSTRAINTS}"), inputs, python_setup),
    )
    if ran.exit_code:
        output = ran.stderr.decode(errors="replace")
        return SyncedLock(path, error=lock_error(where, lock.resolve_name, output))
    created = await Get(DigestContents, Digest, ran.output_digest)
    new = Lock(created[0].content.decode())
    message = describe_changes(path, old, new)
    synced = metadata.add_header_to_lockfile(
        new.keeping(old, chosen).encode(),
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
    """Return what Pants' `generate-lockfiles` runs, with `pip_args`; a test compares the two.

    It is not `pex3 lock sync`: build-support/maintaining/decisions/sync-lockfiles.md says why.
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
        # The package index can have other releases the next time.
        cache_scope=ProcessCacheScope.PER_SESSION,
    )


def lock_metadata(lock: GeneratePythonLockfile, config: ResolvePexConfig) -> PythonLockfileMetadata:
    """Return the header, by which Pants decides whether a lock is up to date."""
    constraints = config.constraints_file
    return PythonLockfileMetadata.new(
        valid_for_interpreter_constraints=lock.interpreter_constraints,
        requirements={PipRequirement.parse(each) for each in lock.requirements},
        manylinux=config.manylinux,
        requirement_constraints=set(constraints.constraints) if constraints else set(),
        only_binary=set(config.only_binary),
        no_binary=set(config.no_binary),
    )


def fits(content: bytes, metadata: PythonLockfileMetadata) -> bool:
    """Return whether the lock was made for exactly this, without further requirements."""
    try:
        return PythonLockfileMetadata.from_lockfile(content, delimeter="//") == metadata
    except (InvalidLockfileError, KeyError):
        return False
