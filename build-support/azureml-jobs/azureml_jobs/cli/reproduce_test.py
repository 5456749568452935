"""`:aml -- jobs reproduce`, with real git and the real job tool, but without Pants."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.cli import aml
from azureml_jobs.cli.jobs import WorkspaceJobs
from azureml_jobs.cli.reproduce import outcome, place_of, print_outcomes, settings_of_now
from azureml_jobs.conftest import CONTEXT_JOB, Gathered, tree
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.workspace import LocalWorkspace
from azureml_jobs.protocol import REQUEST_FILE, SOURCES_FOLDER, PackagesVenv

# Hands the files of the folder that it is in to the job tool, and ends the job that this creates.
FAKE_PANTS = """\
#!{python}
import pathlib, shutil, sys
sys.path[:0] = {path}
from azureml_jobs.cli.main import main
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_store import MlflowStore

gathered = pathlib.Path("gathered")
shutil.copytree({gathered!r}, gathered)
for file in (gathered / {sources!r}).rglob("*"):
    if file.is_file():
        shutil.copyfile(file.relative_to(gathered / {sources!r}), file)
arguments = sys.argv[sys.argv.index("--") + 1:]
status = main(["job", "--request", str(gathered / {request!r}), "--runtime=venv", *arguments])
shutil.rmtree(gathered)
if status == 0 and "--dry-run" not in arguments:
    name = arguments[arguments.index("--name") + 1]
    folder = JobFolder(pathlib.Path(".azureml/jobs", name).resolve())
    record = folder.read()
    record.status, record.exit_code = "Completed", 0
    folder.save(record)
    store = MlflowStore(folder.mlruns)
    run = store.create_run(store.ensure_experiment("exp"), name, name, {{}}, "2026-01-01")
    (run / "metrics/loss").write_text("1 " + pathlib.Path({loss!r}).read_text() + " 0")
sys.exit(status or {status})
"""


class Repository:
    """A repository of git whose job has run once, with a change that no commit has."""

    def __init__(self, gathered: Gathered, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gathered, self.root, self.loss = gathered, gathered.repository, folder / "loss"
        monkeypatch.setenv("AZUREML_JOBS_EXEC_FILE", str(folder / "command"))
        gathered.add_code()
        gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
        gathered.request(CONTEXT_JOB)
        self.write_pants()
        (self.root / ".gitignore").write_text("/.azureml\n/gathered\n")
        self.git("init", "--quiet")
        self.commit()
        self.write("src/exp/main.py", "import common.a\nprint('then')\n")
        self.loss.write_text("0.5")
        first = ["run", "src/exp:job", "--", "--name", "first", "--set", "inputs.epochs=4"]
        subprocess.run([self.root / "pants", *first], cwd=self.root, check=True)

    def write_pants(self, status: int = 0) -> None:
        fake = FAKE_PANTS.format(
            status=status,
            python=sys.executable,
            path=[os.path.abspath(each) for each in sys.path],
            gathered=str(self.gathered.folder),
            sources=SOURCES_FOLDER,
            request=REQUEST_FILE,
            loss=str(self.loss),
        )
        (self.root / "pants").write_text(fake)
        (self.root / "pants").chmod(0o755)

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@localhost")
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "x")

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text)

    def job(self, name: str) -> JobFolder:
        return JobFolder(self.root / ".azureml/jobs" / name)

    def again(self) -> list[JobFolder]:
        return [JobFolder(each) for each in (self.root / ".azureml/jobs").glob("first-again-*")]

    def aml(self, *arguments: str) -> int:
        return aml.run_aml(["--repository", str(self.root), "jobs", *arguments])


@pytest.fixture
def repository(
    gathered: Gathered, venv: PackagesVenv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Repository:
    return Repository(gathered, tmp_path, monkeypatch)


def test_runs_what_ran_after_everything_has_changed(
    repository: Repository,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository.write("src/common/a.py", "A = 2\n")
    repository.write("src/exp/main.py", "")
    repository.commit()
    before = tree(repository.root)
    assert repository.aml("reproduce", "first") == 0
    after = {name: what for name, what in tree(repository.root).items() if name in before}
    assert after == before
    (again,) = repository.again()
    assert tree(again.bundle / "code") == tree(repository.job("first").bundle / "code")
    out, err = capfd.readouterr()
    assert "The same status and 1 more values." in out and "byte for byte" in err

    # What ran again is a job as any other, and has a result of its own.
    # It may begin within the same second.
    repository.loss.write_text("0.25")
    monkeypatch.setattr(time, "strftime", lambda _: again.name.split("-again-")[1][:15])
    assert repository.aml("reproduce", again.name) == 1
    *_, loss, verdict = capfd.readouterr().out.splitlines()
    assert loss.split() == ["loss", "0.5", "0.25", "differs"]
    assert verdict == "1 of 2 differ."


def test_nothing_runs_where_something_is_different(
    repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    assert repository.aml("reproduce", "first", "--check-only") == 0
    assert "byte for byte" in capfd.readouterr().err
    requirements = repository.gathered.folder / "requirements/job.txt"
    requirements.write_text("numpy==2.4.7 --hash=sha256:01\n")
    assert repository.aml("reproduce", "first") == 2
    assert "has:\n  environment/requirements.txt differs.\n" in capfd.readouterr().err
    assert repository.again() == []


def test_an_image_that_was_built_again_is_a_doubt(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\necho \'{"Id": "sha256:2"}\'\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}{os.pathsep}{os.environ['PATH']}")
    manifest = repository.job("first").bundle / "manifest.json"
    image = '{"reference": "x:env-1", "id": "sha256:1"}'
    manifest.write_text(manifest.read_text().replace('"image": null', f'"image": {image}'))
    ran = subprocess.run(
        [str(repository.root / "pants"), "--", "--dry-run", "--same-as", str(manifest.parent)]
        + ["--set", "inputs.epochs=4"],
        cwd=repository.root,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert "may differ: the image x:env-1 was sha256:1, and is sha256:2" in ran.stderr


def test_runs_todays_code_with_the_inputs_of_then(
    repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    repository.write("src/exp/main.py", "print('now')\n")
    repository.write("src/exp/azure-ml-job.yaml", CONTEXT_JOB.replace("epochs: 3", "epochs: 9"))
    assert repository.aml("rerun", "first") == 0
    (again,) = repository.again()
    assert again.read().command == "python -m exp.main --epochs 4"
    assert (again.bundle / "code/exp/main.py").read_text() == "print('now')\n"
    assert "The same status and 1 more values." in capfd.readouterr().out


def test_nothing_is_compared_after_ctrl_c(
    repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    repository.write_pants(130)
    assert repository.aml("rerun", "first") == 130
    assert "first-again" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("known", "message"),
    [
        pytest.param(
            {"parent": "all", "root": "all", "status": "Completed"},
            "a part of all, and only the whole can run again.\n\n./pants run :aml -- jobs",
            id="a step",
        ),
        pytest.param({"status": "Running", "host": "b"}, "the job is Running", id="still running"),
        pytest.param(
            {"status": "Completed"}, "the job has no record of what it ran", id="no record"
        ),
    ],
)
def test_refuses_what_cannot_run_again(tmp_path: Path, known: dict[str, str], message: str) -> None:
    record = JobRecord("", pid=1, **known)  # type: ignore[arg-type]
    name = LocalWorkspace(tmp_path / ".azureml").new_job("exp", lambda *_: record).name
    with pytest.raises(JobError) as caught:
        aml.run_aml(["--repository", str(tmp_path), "jobs", "reproduce", name])
    assert message in str(caught.value)


def test_a_folder_that_cannot_be_made_is_a_failure_outside(tmp_path: Path) -> None:
    record = JobRecord("", pid=1, status="Completed")
    name = LocalWorkspace(tmp_path / ".azureml").new_job("exp", lambda *_: record).name
    (tmp_path / ".azureml/reproduced").write_text("a file")
    with pytest.raises(OutsideError, match=f"{name}: it could not be rebuilt: .*reproduced'"):
        aml.run_aml(["--repository", str(tmp_path), "jobs", "reproduce", name])


MADE = {"command_line": "./pants run src/x:job -- --image --set 'a=b c'", "seed": 7}
LET_PASS = [{"where": each} for each in ("src/x/.env", "src/a.py:3", "src/a.py:9")]
IMAGE = {"reference": "x:env-1", "id": "1"}


@pytest.mark.parametrize(
    ("known", "was_here", "runs_here", "expected"),
    [
        ({}, True, True, "--local --no-cache --runtime venv"),
        (
            {"allowed": LET_PASS},
            False,
            True,
            "--local --no-cache --allow src/x/.env --allow src/a.py",
        ),
        ({"image": IMAGE, "made": MADE}, True, True, "--local --no-cache --seed 7"),
        ({"made": MADE}, False, False, "--profile p --login --image"),
        (
            {"kind": "pipeline job"},
            *(False, False, "--profile p --login --set settings.force_rerun=true"),
        ),
    ],
    ids=["here again", "of Azure, here", "in an image, with a seed", "in Azure", "a pipeline"],
)
def test_a_job_runs_again_as_it_ran(
    known: dict[str, Any], was_here: bool, runs_here: bool, expected: str
) -> None:
    manifest = {"kind": "command job", "made": None, "allowed": [], "image": None, **known}
    options = Namespace(profile="p", login=True)
    assert " ".join(place_of(manifest, was_here, runs_here, options)) == expected


def test_todays_job_gets_all_inputs_of_then() -> None:
    inputs = {"a": 4, "b.c": {"type": "uri_file", "path": "d.csv"}, "e": {"value": 2}, "none": None}
    then = {
        "overrides": ["inputs.a=4", "name=x", "compute=azureml:y", "settings.force_rerun=true"],
        "job_file": "job.yaml",
        "documents": [{"path": "job.yaml", "content": {"inputs": inputs}}],
    }
    expected = ["compute=azureml:y", "inputs.a=4", "inputs.b\\.c.path=d.csv", "inputs.e.value=2"]
    assert settings_of_now(then)[1::2] == expected


def test_the_result_of_a_pipeline_is_that_of_its_steps() -> None:
    train = {"step": "train", "name": "a_train", "status": "Completed", "children": []}
    late = {"step": "score", "name": "", "status": "NotStarted", "children": []}
    job = {"name": "a", "status": "Failed", "metrics": {}, "children": [train, late]}
    logged = SimpleNamespace(logged=lambda names: [{"name": "a_train", "metrics": {"loss": 0.5}}])
    found = outcome(cast(WorkspaceJobs, logged), job)
    values = {"status": "Failed", "train: status": "Completed", "train: loss": 0.5}
    assert found == {"name": "a", **values}
    assert print_outcomes(found, {**found, "name": "b"})
    assert not print_outcomes(found, {**found, "train: loss": 0.5000001})
