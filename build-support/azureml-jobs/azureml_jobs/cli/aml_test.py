"""The commands of `./pants run :aml -- …`, on recorded jobs that never ran."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.version import TOOLS_VERSION
from azureml_jobs.cli import aml
from azureml_jobs.conftest import Terminal
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import identity_of
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.workspace import LocalWorkspace
from azureml_jobs.protocol import PackagesVenv, WorkspaceRequest


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a répo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("AZUREML_JOBS_EXEC_FILE", raising=False)
    return folder


def job(repository: Path, name: str, status: str, hour: int, **known: Any) -> JobFolder:
    def write(temporary: JobFolder, final: JobFolder) -> JobRecord:
        temporary.bundle.mkdir()
        day = "2024-05-01T"
        return JobRecord(
            final.name,
            status=status,
            experiment_name="exp",
            created=f"{day}{hour:02d}:00:00.000000+00:00",
            started=f"{day}{hour:02d}:00:01.000000+00:00",
            ended=f"{day}{hour:02d}:00:05.500000+00:00",
            **known,
        )

    return LocalWorkspace(repository / ".azureml").new_job(name, write)


@pytest.fixture
def jobs(repository: Path) -> list[JobFolder]:
    return [
        job(repository, "Completed-x", "Failed", 10, exit_code=3, error="exit status 3"),
        job(repository, "exp-a", "Completed", 12, exit_code=0),
        job(repository, "a-longer-name", "Canceled", 11),
    ]


def test_lists_jobs_newest_first_and_colours_their_status(
    jobs: list[JobFolder], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert aml.run_aml(["jobs", "list"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "status", "experiment", "created", "duration"]
    assert [line.split()[:2] for line in lines] == [
        *(["exp-a-1", "Completed"], ["a-longer-name-1", "Canceled"], ["Completed-x-1", "Failed"]),
    ]
    assert all(line.endswith("   4.5 s") for line in lines)
    assert len({line.index(" exp ") for line in lines}) == 1

    terminal = Terminal.use(monkeypatch)
    aml.run_aml(["jobs", "list"])
    lines = terminal.getvalue().splitlines()
    assert "\x1b[32mCompleted\x1b[0m" in lines[1]
    assert lines[3].startswith("Completed-x-1    \x1b[31mFailed\x1b[0m")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        pytest.param([], ["exp-a-1", "a-longer-name-1", "Completed-x-1"], id="all"),
        pytest.param(["--status", "failed"], ["Completed-x-1"], id="a status in lower case"),
        pytest.param(["--max", "2"], ["exp-a-1", "a-longer-name-1"], id="the newest"),
        pytest.param(["--max", "1", "--status", "Canceled"], ["a-longer-name-1"], id="both"),
        pytest.param(["--max", "9", "--status", "Running"], [], id="none"),
    ],
)
def test_lists_the_selected_jobs_as_json(
    jobs: list[JobFolder],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    names: list[str],
) -> None:
    assert aml.run_aml(["jobs", "list", "--json", *arguments]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == names
    for row in rows[2:]:
        assert (row["status"], row["exit_code"], row["duration"]) == ("Failed", 3, 4.5)


def test_lists_a_workspace_that_does_not_exist_yet(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert aml.run_aml(["jobs", "list"]) == 0
    assert capsys.readouterr().out.startswith("No jobs. Start one: ./pants run src/")
    aml.run_aml(["jobs", "list", "--status", "running"])
    assert capsys.readouterr().out == "No job is Running.\n"
    assert not (repository / ".azureml").exists()


def recorded(repository: Path) -> JobFolder:
    folder = job(
        repository,
        "exp",
        "Completed",
        10,
        exit_code=0,
        display_name="größe",
        address="src/exp:job",
        command="python -m exp.main\n",
        tags={"purpose": "example", "mlflow.user": "me"},
        outputs={"model": str(repository / ".azureml/jobs/exp-1/outputs/model"), "far": "/far/x"},
        environment_variables={"TOKEN": "a secret"},
    )
    run = folder.mlruns / "0" / folder.name
    for path, text in {
        "meta.yaml": f"run_id: {folder.name}\n",
        "params/epochs": "60",
        "metrics/loss": "1 0.5 0\n2 0.25 1\n",
        "artifacts/plot.png": "",
    }.items():
        (run / path).parent.mkdir(parents=True, exist_ok=True)
        (run / path).write_text(text)
    return folder


def test_shows_a_job_with_paths_from_the_working_folder(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(repository)
    assert aml.run_aml(["jobs", "show", "exp-1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "exp-1  Completed after 4.5 s, on this machine, venv"
    for line in (
        "  experiment    exp",
        "  display name  größe",
        "  target        src/exp:job",
        "  command       python -m exp.main",
        "  log           .azureml/jobs/exp-1/user_logs/std_log.txt",
        "  folder        .azureml/jobs/exp-1",
        "  model  .azureml/jobs/exp-1/outputs/model",
        "  far    /far/x",
        "  purpose  example",
        "  epochs  60",
        "  loss  0.25  █▁",
        "  plot.png",
    ):
        assert line in lines
    assert not any("error" in line or "mlflow" in line or "secret" in line for line in lines)
    (repository.parent / "elsewhere").mkdir()
    monkeypatch.chdir(repository.parent / "elsewhere")
    aml.run_aml(["--repository", str(repository), "jobs", "show", "exp-1"])
    assert f"  folder        {repository}/.azureml/jobs/exp-1" in capsys.readouterr().out


def test_shows_a_job_as_json(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(repository)
    aml.run_aml(["jobs", "show", "exp-1", "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert shown["folder"] == str(repository / ".azureml/jobs/exp-1")
    assert (shown["status"], shown["display_name"]) == ("Completed", "größe")
    assert shown["metrics"] == {"loss": 0.25}
    assert [point["value"] for point in shown["metric_history"]["loss"]] == [0.5, 0.25]
    assert shown["environment_variables"] == ["TOKEN"]
    assert "a secret" not in json.dumps(shown)


@pytest.mark.parametrize(
    "name", ["exp-b-1", "..", "../jobs/exp-a-1", ""], ids=["a slip", "above", "a path", "empty"]
)
def test_names_the_closest_jobs_for_an_unknown_one(jobs: list[JobFolder], name: str) -> None:
    with pytest.raises(JobError, match="the local workspace has no such job") as caught:
        aml.run_aml(["jobs", "show", name])
    assert caught.value.status == 2
    assert "exp-a-1" in caught.value.remedy


def run_jobs(repository: Path, *arguments: str) -> int:
    return aml.run_aml(["--repository", str(repository), "jobs", *arguments])


def test_streams_the_log_of_a_job_and_returns_its_status(
    jobs: list[JobFolder], repository: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    jobs[0].log.parent.mkdir()
    jobs[0].log.write_bytes(b"one\n\xff two\n")
    assert run_jobs(repository, "stream", "Completed-x-1") == 3
    assert capfdbinary.readouterr().out == b"one\n\xff two\n"


def test_cancels_a_job_without_a_process_and_none_that_has_ended(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    LocalWorkspace(repository / ".azureml").new_job("exp", lambda _, final: JobRecord(final.name))
    assert run_jobs(repository, "cancel", "exp-1") == 0
    assert capsys.readouterr().out == "exp-1 Canceled\n"
    with pytest.raises(JobError, match="exp-1: the job has ended already"):
        run_jobs(repository, "cancel", "exp-1")


def test_downloads_to_an_ignored_folder_named_after_the_job(
    jobs: list[JobFolder], repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs[0].log.parent.mkdir()
    jobs[0].log.write_bytes(b"one\n")
    assert run_jobs(repository, "download", "Completed-x-1") == 0
    assert capsys.readouterr().out == "1 file in .azureml/downloads/Completed-x-1\n"
    log = repository / ".azureml/downloads/Completed-x-1/artifacts/user_logs/std_log.txt"
    assert log.read_text() == "one\n"
    assert run_jobs(repository, "download", "exp-a-1", "--path", "new/deep") == 0
    assert capsys.readouterr().out == "0 files in new/deep\n"
    with pytest.raises(JobError, match="is not empty"):
        run_jobs(repository, "download", "Completed-x-1")


def test_a_running_job_is_downloaded_as_it_is_now_and_not_archived(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pid = os.getpid()
    record = JobRecord("x", status="Running", pid=pid, pid_identity=identity_of(pid))
    folder = LocalWorkspace(repository / ".azureml").new_job("running", lambda *_: record)
    folder.log.parent.mkdir()
    folder.log.write_bytes(b"one\n")
    assert run_jobs(repository, "download", folder.name) == 0
    assert capsys.readouterr().out == (
        "1 file in .azureml/downloads/running-1, as they are now: the job is Running\n"
    )
    with pytest.raises(JobError, match="has not ended yet, its status is Running"):
        run_jobs(repository, "archive", folder.name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "arguments are required: jobs", id="nothing"),
        pytest.param(["jobs"], "arguments are required: command", id="no command"),
        pytest.param(["job", "list"], "invalid choice: 'job'", id="unknown noun"),
        pytest.param(["jobs", "lst"], "invalid choice: 'lst'", id="unknown command"),
        pytest.param(["jobs", "show"], "arguments are required: NAME", id="no name"),
        pytest.param(["jobs", "list", "--jso"], "unrecognized arguments: --jso", id="abbreviated"),
        pytest.param(["jobs", "list", "--max", "-1"], "not a number: -1", id="less than 0"),
        pytest.param(["jobs", "list", "--max", "0"], "Write 1 or more", id="none"),
        pytest.param(["jobs", "list", "--max", "x"], "not a number: x", id="no number"),
        pytest.param(
            ["jobs", "list", "--status", "done"],
            "no such status: done. Valid: NotStarted,",
            id="unknown status",
        ),
    ],
)
def test_rejects_invalid_arguments(
    repository: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        aml.run_aml(arguments)
    assert caught.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith("usage: ./pants run :aml --") and message in shown


def test_archived_jobs_are_left_out_of_lists(
    jobs: list[JobFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    assert aml.run_aml(["jobs", "archive", "exp-a-1"]) == 0
    capsys.readouterr()
    for arguments, is_there in (([], False), (["--archived"], True)):
        aml.run_aml(["jobs", "list", "--json", *arguments])
        listed = {row["name"] for row in json.loads(capsys.readouterr().out)}
        assert ("exp-a-1" in listed) is is_there


def test_registers_a_component_by_its_target(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "argv"
    monkeypatch.setenv("AZUREML_JOBS_EXEC_FILE", str(file))
    assert aml.run_aml(["components", "register", "src/x:train", "--profile", "test"]) == 0
    command = [str(repository / "pants"), "run", "src/x:train", "--", "--profile", "test"]
    assert file.read_text().split("\0") == [*command, ""]


@pytest.mark.parametrize(
    ("arguments", "prefix", "hidden"),
    [
        pytest.param(["jobs", "list"], "azure", [], id="a command on Azure"),
        pytest.param(["jobs", "stream", "x", "--local"], "", [], id="a long command"),
        pytest.param(["ui"], "ui", [], id="the page of a workspace in Azure"),
        pytest.param(["ui", "--local"], "ui", [], id="the page of the local workspace"),
        pytest.param(["jobs", "stream", "a"], "azure", ["--plot-prefix", "plot"], id="plots"),
    ],
)
def test_commands_run_after_pants_in_the_environment_that_they_need(
    arguments: list[str],
    prefix: str,
    hidden: list[str],
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    text = "SUBSCRIPTION_ID=00000000-0000-4000-8000-000000001234\nRESOURCE_GROUP=g\nWORKSPACE=w\n"
    (repository / "config.env").write_text(text)
    venvs = {}
    for name in filter(None, {prefix, *hidden[1:]}):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin/python").write_text("")
        venvs[name] = PackagesVenv(str(tmp_path / name), "seed")
    (tmp_path / "request.json").write_bytes(WorkspaceRequest(**venvs).to_json())
    monkeypatch.setenv("AZUREML_JOBS_EXEC_FILE", str(tmp_path / "command"))
    assert aml.run_aml(["--request", str(tmp_path / "request.json"), *arguments]) == 0
    parts = (tmp_path / "command").read_bytes().decode().split("\0")
    assert parts[0] == (str(tmp_path / prefix / "bin/python") if prefix else sys.executable)
    hidden = [str(tmp_path / part) if part in venvs else part for part in hidden]
    assert parts[2:-1] == ["workspace", "--repository", str(repository), *hidden, *arguments]


def test_prints_the_version_of_the_tools_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, printed in (
        (["--version"], f"{TOOLS_VERSION}\n"),
        (["--help"], "jobs that ran or are running"),
        (["jobs", "compare", "--help"], "--plot METRIC"),
    ):
        with pytest.raises(SystemExit) as caught:
            aml.run_aml(arguments)
        shown = capsys.readouterr().out
        assert caught.value.code == 0 and printed in shown and "--repository" not in shown
