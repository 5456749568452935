"""Measure whole tasks of a person, each next to its reference.

README.md in this folder says how to run it and what it measures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from azureml_jobs.experiment.create import ExperimentRequest, create_experiment
from azureml_jobs.locks.lock import Lock
from repositories import OURS, commit, copy_project, machine, run, stop_daemon
from snapshot_upload import service

JOB = ("./pants", "run", "src/example_experiment:job")
DRY_RUN = (*JOB, "--", "--dry-run")
DRY_RUNS = 50
LARGE_DRY_RUN = ("./pants", "run", "src/large:job", "--", "--dry-run")
FILES, FILE_SIZE = 50, 4_000_000
# Turns random bytes into columns of digits.
DIGITS = (b"0123456789" * 3 + b",\n") * 8
# What an outer Pants sets.
DROPPED = ("AZUREML_", "PANTS_", "PEX_", "PYTHON", "_PANTS")
SCRIPT = """
import os
from azure.ai.ml import MLClient, load_job
from azure.identity import EnvironmentCredential

workspace = [os.environ[name] for name in ("SUBSCRIPTION_ID", "RESOURCE_GROUP", "WORKSPACE")]
client = MLClient(EnvironmentCredential(disable_instance_discovery=True), *workspace)
client.jobs.create_or_update(load_job("src/example_experiment/azure-ml-job.yaml"))
"""


@dataclass
class Cost:
    """How long a person waits for the end of a task, with this scaffolding or with another tool."""

    task: str
    who: str
    seconds: float


def timed(root: Path, *command: str, **more: str) -> float:
    """Return the seconds until the command ends; `more` are environment variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
    # Images on this machine must not decide what is measured.
    environment = {**kept, "PANTS_AZUREML_RUNTIME": "venv", **more}
    begun = time.monotonic()
    done = subprocess.run(
        command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed:\n{done.stdout}")
    return time.monotonic() - begun


def in_fresh_clone(project: Path, folder: Path, *command: str) -> float:
    """Return the seconds of a command in a new clone, with empty caches, both in `folder`."""
    clone = folder / "clone"
    run(project, "git", "clone", "--quiet", ".", str(clone))
    caches = {"XDG_CACHE_HOME": "cache", "PIP_CACHE_DIR": "pip", "UV_CACHE_DIR": "uv"}
    try:
        return timed(clone, *command, **{each: str(folder / name) for each, name in caches.items()})
    finally:
        stop_daemon(clone)


def make_uv(folder: Path) -> Path:
    """Install uv, as this repository locks it, in an environment of its own."""
    pins = Lock(Path("3rdparty/python/uv.lock").read_text(encoding="utf-8")).pins
    timed(Path.cwd(), sys.executable, "-m", "venv", str(folder))
    timed(Path.cwd(), str(folder / "bin/pip"), "install", "--quiet", *map(str, pins))
    return folder / "bin/uv"


def install_by_uv(project: Path, folder: Path, uv: Path) -> float:
    """Return uv's seconds for all locked packages, from the index that a set-up in `folder` has."""
    (index,) = folder.glob("cache/pants-from-index/*/*/index")
    settings = dict(line.split("=", 1) for line in index.read_text(encoding="utf-8").splitlines())
    variables = {"UV_CACHE_DIR": str(folder / "uv"), "UV_PYTHON_DOWNLOADS": "never"}
    if settings["cert"]:
        variables["SSL_CERT_FILE"] = settings["cert"]
    if settings["url"]:
        variables["UV_DEFAULT_INDEX"] = settings["url"]
    lock = Lock((project / "3rdparty/python/experiments.lock").read_text(encoding="utf-8"))
    environment, pins = str(folder / "environment"), [str(pin) for pin in lock.pins]
    install = ("pip", "install", "--no-deps", f"--python={environment}/bin/python")
    return timed(
        folder, str(uv), "venv", f"--python={sys.executable}", environment, **variables
    ) + timed(folder, str(uv), *install, *pins, **variables)


def first_job(project: Path, times: int) -> Iterator[Cost]:
    task = "first job in a fresh clone, empty caches"
    with tempfile.TemporaryDirectory(prefix="uv-") as name:
        uv = make_uv(Path(name))
        for _ in range(times):
            with tempfile.TemporaryDirectory(prefix="first-") as name:
                yield Cost(task, OURS, in_fresh_clone(project, Path(name), *JOB))
            with tempfile.TemporaryDirectory(prefix="first-") as name:
                set_up = in_fresh_clone(project, Path(name), "./pants", "--version")
                packages = install_by_uv(project, Path(name), uv)
                yield Cost(task, "uv and set-up of Pants", set_up + packages)


def submission(project: Path, times: int) -> Iterator[Cost]:
    who = {OURS: JOB, "a plain script": (sys.executable, "-c", SCRIPT)}
    # The script imports what this process has.
    path = os.pathsep.join(each for each in sys.path if each)
    with service(slowness=0) as variables:
        for turn in range(times + 1):
            for name, command in who.items():
                more = {} if name == OURS else {"PYTHONPATH": path}
                seconds = timed(project, *command, **variables, **more)
                # The first one sends everything.
                if turn:
                    yield Cost("submission, nothing changed", name, seconds)


def large_dry_run(project: Path, times: int) -> Iterator[Cost]:
    experiment = project / "src/large"
    request = ExperimentRequest("large", "src", "build-support/experiment-template", {})
    create_experiment(project, request)
    (experiment / "BUILD").write_text('experiment(files=["texts/*.csv"])\n', encoding="utf-8")
    files = [experiment / f"texts/{number}.csv" for number in range(FILES)]
    files[0].parent.mkdir()
    # The daemon is warm then, and has none of the contents.
    files[0].write_text("1,2\n", encoding="utf-8")
    timed(project, *LARGE_DRY_RUN)
    for _ in range(times):
        for file in files:
            file.write_bytes(os.urandom(FILE_SIZE).translate(DIGITS))
        for task in ("dry run of 200 MB of code", "the same dry run again"):
            yield Cost(task, OURS, timed(project, *LARGE_DRY_RUN))
            yield Cost(task, "sha256sum", timed(project, "sha256sum", *map(str, files)))


def many_dry_runs(project: Path, times: int) -> Iterator[Cost]:
    task = f"{DRY_RUNS} dry runs at once"
    timed(project, *DRY_RUN)
    for _ in range(times):
        begun = time.monotonic()
        with ThreadPoolExecutor(DRY_RUNS) as pool:
            list(pool.map(lambda _: timed(project, *DRY_RUN), range(DRY_RUNS)))
        yield Cost(task, OURS, time.monotonic() - begun)
        one_by_one = sum(timed(project, *DRY_RUN) for _ in range(DRY_RUNS))
        yield Cost(task, "one after the other", one_by_one)


TASKS = {task.__name__: task for task in (first_job, submission, large_dry_run, many_dry_runs)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--times", type=int, default=3, help="how often to measure everything")
    parser.add_argument("--output", type=Path, default=Path("dist/tasks.json"))
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="tasks-") as folder:
        project = Path(folder, "project")
        copy_project(project, has_example=True)
        commit(project)
        try:
            for task in options.tasks:
                for cost in TASKS[task](project, options.times):
                    print(f"{cost.task:<42} {cost.who:<24} {cost.seconds:>7.1f} s", flush=True)
                    found.append(asdict(cost))
        finally:
            stop_daemon(project)
    options.output.parent.mkdir(exist_ok=True)
    result = {"machine": machine(), "costs": found}
    options.output.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
