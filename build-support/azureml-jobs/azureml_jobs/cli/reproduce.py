"""Run a job again: as it was, from its record, or with today's code."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.console import GREEN, RED, coloured, print_table, print_warning
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import make_folder, take_lock
from azureml_jobs.base.job_status import ENDED
from azureml_jobs.base.jobs import labelled
from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace
from azureml_jobs.bundle.manifest_file import read_manifest, units_of
from azureml_jobs.bundle.rebuild import add_own_files, rebuild
from azureml_jobs.bundle.same import check_fetched, is_of_one_run
from azureml_jobs.cli.job_tree import leaves
from azureml_jobs.cli.jobs import WorkspaceJobs, is_on_this_machine, jobs_of

# The end of the name of a job that was run again, and the longest rest of it.
_AGAIN = re.compile(r"-again-\d{8}-\d{6}(-[0-9a-f]{4})?$")
_LONGEST_STEM = 200
_RECORD = "record"
# Of a command that Ctrl-C has ended.
_INTERRUPTED = 130
# The guard records lines, and is asked to let files pass.
_LINE = re.compile(r":\d+$")

Manifest = Mapping[str, Any]


def reproduce_job(
    workspace: AzureWorkspace | None, repository: Path, options: argparse.Namespace
) -> int:
    """Run a job of this machine or of the workspace again, and compare its result.

    It runs where it ran, unless the options name another place. With the code of then, 0 stands for
    the same result and 1 for another; with today's, the status is the job's own.
    """
    name = options.name
    is_local = is_on_this_machine(name, repository)
    source = None if is_local else workspace
    target = None if options.local or (is_local and not options.profile) else workspace
    there, here = (jobs_of(each, repository, options.login) for each in (source, target))
    before = there.describe(name)
    _check_can_run_again(before, options.check_only)
    # azure-ai-ml makes names of jobs lower-case.
    new_name = _new_name(name if target is None else name.lower())
    with _own_folder(repository, name) as folder:
        there.record(name, folder / _RECORD, with_code=not options.as_now)
        manifest = read_manifest(folder / _RECORD)
        place = place_of(manifest, source is None, target is None, options)
        if options.as_now:
            root, arguments = repository, settings_of_now(manifest)
        else:
            if target is not None:
                _check_assets(manifest, target, options.login)
            elif source is not None:
                print_warning("its result may differ: it ran in Azure ML, on other hardware")
            check_fetched(folder / _RECORD, manifest)
            root = rebuild(manifest, folder / _RECORD, repository, folder / "repository")
            add_own_files(manifest, repository, root)
            arguments = ["--same-as", str(folder / _RECORD), *settings_of_then(manifest)]
        ending = ["--name", new_name, "--dry-run" if options.check_only else "--stream"]
        command = [manifest["address"], "--", *arguments, *place, *ending]
        status = _run_pants(root, repository, command)
    if options.check_only or status == _INTERRUPTED:
        return status
    try:
        after = here.describe(new_name)
    except OutsideError:
        raise
    except JobError:
        # It was refused, and what runs said why.
        return status or 1
    is_same = print_outcomes(outcome(there, before), outcome(here, after))
    return status if options.as_now else int(not is_same)


def _check_assets(manifest: Manifest, target: AzureWorkspace, login: bool) -> None:
    from azureml_jobs.azure.what_ran import check_assets  # pants: no-infer-dep
    from azureml_jobs.azure.workspace import ConnectedWorkspace  # pants: no-infer-dep

    check_assets(ConnectedWorkspace(target, login), manifest)


def _new_name(name: str) -> str:
    # Without the random end, two runs of one second have one name.
    end = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    return f"{_AGAIN.sub('', name)[:_LONGEST_STEM]}-again-{end}"


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
    """Yield the folder in which the job is rebuilt, without what an earlier time has left.

    What the disk refuses in there is an `OutsideError`.
    """
    folder = (repository / LOCAL_FOLDER).resolve() / "reproduced" / name
    try:
        make_folder(folder.parent)
        with open(folder.with_name(f".{name}.lock"), "wb") as lock:
            if not take_lock(lock):
                raise JobError(name, "another process runs it again already")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            yield folder
    except OSError as error:
        raise OutsideError(
            name,
            f"it could not be rebuilt: {error}",
            f"Check the free space and the permissions of {folder}.",
        ) from error


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
    pants = str(root / "pants")
    try:
        process = subprocess.Popen([pants, *flags, "run", *arguments], cwd=root, env=environment)
    except OSError as error:
        raise OutsideError(pants, f"it cannot be started: {error.strerror}") from error
    # Ctrl-C reaches the job as well, which may clean up.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def settings_of_then(manifest: Manifest) -> list[str]:
    """Return what makes the job file of then the job: its overrides."""
    return _set(each for each in manifest["overrides"] if not is_of_one_run(each))


def settings_of_now(manifest: Manifest) -> list[str]:
    """Return what gives a job file of today the inputs and overrides of then."""
    overrides = (each for each in manifest["overrides"] if not each.startswith("inputs."))
    documents = {each["path"]: each["content"] for each in manifest["documents"]}
    inputs = _inputs(documents[manifest["job_file"]].get("inputs") or {})
    return _set((*(each for each in overrides if not is_of_one_run(each)), *inputs))


def _inputs(inputs: Mapping[str, Any]) -> Iterator[str]:
    for name, value in inputs.items():
        key = "inputs." + str(name).replace(".", "\\.")
        parts = value if isinstance(value, Mapping) else {"": value}
        for part in ("", "value", "path"):
            if parts.get(part) is not None:
                yield f"{key}.{part}".rstrip(".") + f"={parts[part]}"


def _set(settings: Iterable[str]) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


def place_of(
    manifest: Manifest, was_here: bool, runs_here: bool, options: argparse.Namespace
) -> list[str]:
    """Return where and how the job runs, and what the guard lets pass again."""
    made = manifest["made"] or {}
    arguments = []
    if runs_here:
        # Steps that completed before must not stand for those of this job.
        arguments += ["--local", "--no-cache"]
        if was_here and not any(unit["image"] for unit in units_of(manifest)):
            arguments += ["--runtime", "venv"]
        if made.get("seed") is not None:
            arguments += ["--seed", str(made["seed"])]
    else:
        arguments += ["--profile", options.profile] if options.profile else []
        arguments += ["--login"] if options.login else []
        if manifest["kind"] == "pipeline job":
            arguments += _set(["settings.force_rerun=true"])
        if "--image" in shlex.split(made.get("command_line") or ""):
            arguments.append("--image")
    places = dict.fromkeys(_LINE.sub("", each["where"]) for each in manifest["allowed"])
    return arguments + [part for where in places for part in ("--allow", where)]


def outcome(jobs: WorkspaceJobs, job: Mapping[str, Any]) -> dict[str, Any]:
    """Return status and metrics of a job and of those that it started, by what to print."""
    found = {"name": job["name"], "status": job["status"], **job["metrics"]}
    started = ((label, row) for label, row in labelled(job["children"]) if row["name"])
    found |= {f"{label}: status": row["status"] for label, row in started}
    below = leaves(job["children"])
    for label, row in zip(below, jobs.logged(list(below.values()))):
        found |= {f"{label}: {name}": value for name, value in row["metrics"].items()}
    return found


def print_outcomes(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Print two outcomes next to each other; return whether they are the same."""
    names = [name for name in dict.fromkeys((*then, *now)) if name != "name"]
    different = [name for name in names if then.get(name) != now.get(name)]
    rows = [
        (
            name,
            *("-" if run.get(name) is None else str(run[name]) for run in (then, now)),
            "differs" if name in different else "",
        )
        for name in names
    ]
    print_table(("", then["name"], now["name"], ""), rows)
    if different:
        print(coloured(f"{len(different)} of {len(names)} differ.", RED))
    else:
        print(coloured(f"The same status and {len(names) - 1} more values.", GREEN))
    return not different
