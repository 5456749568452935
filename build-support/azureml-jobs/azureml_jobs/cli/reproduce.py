"""Run a job again: as it was, from its record, or with today's code."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.job_status import ENDED
from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace
from azureml_jobs.bundle.manifest import read_manifest
from azureml_jobs.bundle.rebuild import add_own_files, rebuild
from azureml_jobs.bundle.same import check_fetched, is_of_one_run
from azureml_jobs.cli.outcome import outcome, print_outcomes
from azureml_jobs.cli.workspace_jobs import jobs_of

# The end of the name of a job that was run again, and the longest rest of it.
_AGAIN = re.compile(r"-again-\d{8}-\d{6}$")
_LONGEST_STEM = 200
_RECORD = "record"


def reproduce_job(
    workspace: AzureWorkspace | None, repository: Path, options: argparse.Namespace
) -> int:
    """Run a job of this machine or of the workspace again, and compare its result.

    It runs where it ran, unless the options name another place. With the code of then, 0 stands for
    the same result and 1 for another; with today's, the status is the job's own.
    """
    name = options.name
    is_local = (repository / LOCAL_FOLDER / "jobs" / name / "job.json").is_file()
    source = None if is_local else workspace
    target = None if options.local or (is_local and not options.profile) else workspace
    there, here = (jobs_of(each, repository, options.login) for each in (source, target))
    before = there.describe(name)
    _check_can_run_again(before, options.check_only)
    with _own_folder(repository, name) as folder:
        there.record(name, folder / _RECORD, with_code=not options.as_now)
        manifest = read_manifest(folder / _RECORD)
        root = repository if options.as_now else _rebuilt(manifest, repository, folder)
        if source is not None and target is None:
            print("It ran in Azure ML, and this machine has other hardware.", file=sys.stderr)
        new_name = f"{_AGAIN.sub('', name)[:_LONGEST_STEM]}-again-{time.strftime('%Y%m%d-%H%M%S')}"
        arguments = _arguments(manifest, options, folder, target)
        status = _run_pants(root, repository, [manifest["address"], "--", *arguments, new_name])
    if options.check_only:
        return status
    try:
        after = here.describe(new_name)
    except JobError:
        # It was refused, and what runs said why.
        return status or 1
    is_same = print_outcomes(outcome(there, before), outcome(here, after))
    return status if options.as_now else int(not is_same)


def _check_can_run_again(job: Mapping[str, Any], check_only: bool) -> None:
    if job["parent"]:
        raise JobError(
            job["name"],
            f"it is a part of {job['parent']}, and only the whole can run again",
            f"./pants run :aml -- jobs reproduce {job['parent']}",
        )
    if job["status"] not in ENDED and not check_only:
        raise JobError(
            job["name"],
            f"the job is {job['status']}, and has no result to compare with yet",
            "Wait until it has ended, or check its code alone: add `--check-only`.",
        )


@contextlib.contextmanager
def _own_folder(repository: Path, name: str) -> Iterator[Path]:
    """Yield the folder in which the job is rebuilt, without what an earlier time has left."""
    folder = (repository / LOCAL_FOLDER).resolve() / "reproduced" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f".{name}.lock"), "wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JobError(name, "another process runs it again already") from None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder


def _rebuilt(manifest: Mapping[str, Any], repository: Path, folder: Path) -> Path:
    """Return the root of a clone that is as the repository was, with what the job needs."""
    check_fetched(folder / _RECORD, manifest)
    root = rebuild(manifest, folder / _RECORD, repository, folder / "repository")
    add_own_files(manifest, repository, root)
    return root


def _arguments(
    manifest: Mapping[str, Any],
    options: argparse.Namespace,
    folder: Path,
    target: AzureWorkspace | None,
) -> list[str]:
    """Return the arguments of the run, up to the name of the new job."""
    settings = [each for each in manifest["overrides"] if not is_of_one_run(each)]
    arguments = []
    if options.as_now:
        settings = [each for each in settings if not each.startswith("inputs.")]
        settings += _inputs(manifest)
    else:
        arguments += ["--same-as", str(folder / _RECORD)]
    # Steps that completed before must not stand for those of the new job.
    if target is None:
        arguments += ["--local", "--no-cache"]
    elif manifest["kind"] == "pipeline job":
        settings.append("settings.force_rerun=true")
    made = manifest["made"] or {}
    if target is None and made.get("seed") is not None:
        arguments += ["--seed", str(made["seed"])]
    if target is not None and "--image" in shlex.split(made.get("command_line") or ""):
        arguments.append("--image")
    arguments += ["--profile", options.profile] if options.profile else []
    arguments += ["--login"] if options.login else []
    for allowed in manifest["allowed"]:
        # A line allows itself, by its comment.
        if not re.search(r":\d+$", allowed["where"]):
            arguments += ["--allow", allowed["where"]]
    for setting in settings:
        arguments += ["--set", setting]
    return [*arguments, "--dry-run" if options.check_only else "--stream", "--name"]


def _inputs(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the inputs of the job as settings: those that its job file had then."""
    documents = {each["path"]: each["content"] for each in manifest["documents"]}
    for name, value in (documents[manifest["job_file"]].get("inputs") or {}).items():
        key = f"inputs.{str(name).replace('.', chr(92) + '.')}"
        if isinstance(value, Mapping):
            yield from (
                f"{key}.{part}={value[part]}" for part in ("path", "value") if part in value
            )
        elif value is not None:
            yield f"{key}={value}"


def _run_pants(root: Path, repository: Path, arguments: Sequence[str]) -> int:
    """Run `./pants run` in a repository, and return its status."""
    # A daemon for one command in a clone would only stay behind.
    flags = [] if root == repository else ["--no-pantsd"]
    print(f"In {root}:\n./pants run {shlex.join(arguments)}", file=sys.stderr, flush=True)
    environment = {
        key: value
        for key, value in os.environ.items()
        # What the launcher of this repository has set is not for that of another one.
        if not key.startswith("PANTS_PEX_CLI_")
        and not (key == "PANTS_CONFIG_FILES" and str(repository) in value)
    }
    process = subprocess.Popen(
        [str(root / "pants"), *flags, "run", *arguments], cwd=root, env=environment
    )
    # Ctrl-C reaches the job as well, which may clean up.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
