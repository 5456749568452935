"""Local jobs for the tests of this folder, run as real processes."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from venv import EnvBuilder

import pytest
from azureml_jobs.conftest import JOB, NOTHING_KNOWN, Gathered, Tool
from azureml_jobs.local.create_job import create_job, plan_run
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import job_processes
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.workspace import LocalWorkspace

_RUN = """
import pathlib, sys
from azureml_jobs.base.errors import JobError
from azureml_jobs.local.execute import execute_job
try:
    sys.exit(execute_job(pathlib.Path(sys.argv[1]), grace=float(sys.argv[2])))
except JobError as error:
    sys.stderr.write(str(error))
    sys.exit(error.status)
"""


class Jobs:
    """Creates jobs in its own workspace and starts them."""

    def __init__(self, repo: Path) -> None:
        self.repo = repo
        self.workspace = LocalWorkspace(repo / ".azureml")
        self.started: list[subprocess.Popen[Any]] = []

    def new(self, command: str, **known: Any) -> JobFolder:
        def write(temporary: JobFolder, final: JobFolder) -> JobRecord:
            (temporary.bundle / "code").mkdir(parents=True)
            return JobRecord(final.name, command=command, experiment_name="exp", **known)

        return self.workspace.new_job("exp-3f2a9c1d", write)

    def start(self, folder: JobFolder, grace: float = 10, **how: Any) -> subprocess.Popen[bytes]:
        """Start the runner in its own process, as `./pants` does."""
        pipes = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        return self.python(_RUN, folder.path, grace, **{**pipes, "cwd": self.repo, **how})

    def python(self, code: str, *arguments: object, **how: Any) -> subprocess.Popen[Any]:
        """Start Python in a process that ends with the test; `how` are options of `Popen`."""
        command = [sys.executable, "-c", code, *map(str, arguments)]
        how = {"stdout": subprocess.PIPE, "env": self.environment(), **how}
        self.started.append(subprocess.Popen(command, **how))
        return self.started[-1]

    def run(self, folder: JobFolder, grace: float = 10) -> tuple[int, bytes, bytes]:
        process = self.start(folder, grace)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    @staticmethod
    def environment() -> dict[str, str]:
        return Tool.environment(A_SECRET="of the shell")

    @staticmethod
    def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError("waited in vain")


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    repo = tmp_path / "a répo"
    repo.mkdir()
    created = Jobs(repo)
    yield created
    for process in created.started:
        with process:
            process.kill()


def create(
    gathered: Gathered, job: str = JOB, runtime: Runtime = Runtime(), **options: Any
) -> JobFolder:
    """Create a job as `./pants run` does, with these options of its `RunPlan`."""
    plan = gathered.plan(job)
    run = plan_run(plan, gathered.folder, gathered.repository, lambda need: runtime)
    return create_job(plan, replace(run, **options), NOTHING_KNOWN)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment of a run's packages, with one package: `shared` of version 1."""
    prefix = tmp_path_factory.mktemp("packages") / "a prefix"
    EnvBuilder(symlinks=True).create(prefix)
    (site,) = prefix.glob("lib/python*/site-packages")
    for name, content in package_files("shared", "1").items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(content)
    script = prefix / "bin" / "show-shared"
    script.write_text(f"#!/bin/sh\n'''exec' \"{prefix}/bin/python\" \"$0\" \"$@\"\n' '''\n{SHOW}")
    script.chmod(0o755)
    (prefix / "share").mkdir()
    (prefix / "share" / "shared.txt").write_text("1")
    return prefix


SHOW = "import shared, sys\nprint('shared', shared.VERSION, *sys.argv[1:])\n"


def package_files(name: str, version: str) -> dict[str, str]:
    """Return the files of an installed package, or of its wheel."""
    info = f"{name}-{version}.dist-info"
    return {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }


def make_wheel(folder: Path, name: str, version: str) -> None:
    """Make the wheel of a package that has a file of data, too."""
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, content in package_files(name, version).items():
            wheel.writestr(path, content)
        wheel.writestr(f"{name}-{version}.data/data/share/{name}.txt", version)


# Logs with MLflow, writes outputs, and prints.
LOGGING = """
run=$(echo ../../../mlruns/*/$AZUREML_RUN_ID)
printf '1 0.5 0\\n2 nan 1\\n' > $run/metrics/loss
echo -n 3 > $run/params/depth
echo -n v > $run/tags/mine
echo figure > $run/artifacts/figure.png
mkdir outputs/sub; echo o > outputs/sub/o.txt; echo l > logs/l.txt; echo m > ../outputs/model/m.bin
model=$run/../models/m-1; mkdir -p $model/artifacts; echo flavors > $model/artifacts/MLmodel
printf 'name: tree\nmodel_id: m-1\nsource_run_id: %s\ncreation_timestamp: 1' $AZUREML_RUN_ID \
  > $model/meta.yaml
echo said
"""


@pytest.fixture
def ended(jobs: Jobs) -> JobFolder:
    """A job that has ended and left something of every kind."""
    folder = jobs.new(
        LOGGING,
        outputs={"model": "/there"},
        environment_variables={"TOKEN": "secret value"},
        tags={"team": "a"},
    )
    assert jobs.run(folder)[0] == 0
    return folder


def running(folder: JobFolder) -> list[int]:
    """Return the processes of a job that still run."""
    return [each.pid for each in job_processes(str(folder.path), folder.read().pgid)]


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
