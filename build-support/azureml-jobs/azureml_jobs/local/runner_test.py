"""Whole local jobs, in real processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from azureml_jobs.base.exec_after_pants import RUN_SCRIPT
from azureml_jobs.local.conftest import below, running
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import identity_of

# For some seconds it goes on, and says that it was asked to end.
CLEANS_UP = "trap 'touch cleaned; exit' {}; echo up; sleep 60 & wait"
STUBBORN = "trap '' INT TERM; echo up; while :; do sleep 0.05; done"


def mlflow_status(folder: JobFolder) -> str:
    """Return the status that MLflow shows of the job's run."""
    (meta,) = folder.mlruns.glob(f"*/{folder.name}/meta.yaml")
    names = {1: "RUNNING", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
    return names[yaml.safe_load(meta.read_text())["status"]]


def test_records_a_job_that_completes(jobs: Any) -> None:
    folder = jobs.new("echo to out; echo to err >&2")
    status, out, err = jobs.run(folder)
    record = folder.read()
    first, *_, last = out.decode().splitlines()
    assert (status, first, err) == (0, "to out", b"to err\n")
    assert last.startswith(f"{folder.name} Completed in ")
    assert last.endswith(f"./pants run :aml -- jobs show {folder.name}")
    assert sorted(folder.log.read_text().split("\n")) == ["", "to err", "to out"]
    assert (record.status, record.exit_code, record.error) == ("Completed", 0, None)
    assert record.created <= record.started <= record.ended
    assert set(record.timings) == {"preparing", "running", "total"}
    assert mlflow_status(folder) == "FINISHED"


def test_returns_the_status_of_a_failed_job_and_prints_its_log_once(jobs: Any) -> None:
    folder = jobs.new("echo said; echo why >&2; exit 7")
    status, out, err = jobs.run(folder)
    record, message = folder.read(), err.decode()
    assert (status, record.status, record.exit_code) == (7, "Failed", 7)
    assert record.error == "the command ended with exit status 7"
    assert (out, message.count("said"), message.count("why")) == (b"said\n", 0, 1)
    assert f"{folder.name} Failed after " in message
    assert f"Its log: .azureml/jobs/{folder.name}/user_logs/std_log.txt" in message
    assert mlflow_status(folder) == "FAILED"
    # It runs once.
    status, _, err = jobs.run(folder)
    assert (status, folder.read()) == (2, record)
    assert f"{folder.name}: the job cannot be started, its status is Failed." in err.decode()


@pytest.mark.parametrize("module", ["sklearn", "azureml", "azureml.mlflow.deep"])
def test_names_the_package_of_a_module_that_the_run_did_not_find(jobs: Any, module: str) -> None:
    folder = jobs.new(
        f"""echo "ModuleNotFoundError: No module named '{module}'" >&2; exit 1""",
        address="//src/x:job",
        unused_modules={"sklearn": "3rdparty:p#a", "azureml.mlflow": "3rdparty:p#a"},
    )
    _, _, err = jobs.run(folder)
    # At the end, where it is seen.
    hint = err.decode().rpartition(" Failed after ")[2]
    assert f"names `{module}`" in hint
    assert 'add `dependencies=["3rdparty:p#a"]` in src/x/BUILD.\n' in hint


def test_keeps_bytes_that_are_not_utf_8_and_lines_without_end(jobs: Any) -> None:
    folder = jobs.new(r"printf 'a\xff\x00\xfeb'; printf '\xe9' >&2; kill -SEGV $$")
    status, out, err = jobs.run(folder)
    assert (status, out, err[:2]) == (139, b"a\xff\x00\xfeb", b"\xe9\n")
    assert sorted(folder.log.read_bytes()) == sorted(b"a\xff\x00\xfeb\xe9")
    assert folder.read().error == "the command ended with exit status 139 (SIGSEGV)"


def test_a_terminal_shows_that_a_job_prints_nothing_yet(jobs: Any) -> None:
    folder = jobs.new("sleep 1.3; echo first; sleep 1.3; echo second")
    ours, theirs = os.openpty()
    status = jobs.start(folder, stdout=theirs, stderr=theirs).wait(30)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(theirs)
    before, after = shown.split("\r\x1b[Kfirst\r\n")
    assert status == 0
    assert re.findall(r"Running without output(?: for 1.\d s)?", before)[-1].endswith(" s")
    assert "without output" not in after


def test_passes_all_output_on_also_what_comes_last(jobs: Any) -> None:
    folder = jobs.new("head -c 3000000 /dev/zero | tr '\\0' x; echo end > >(sleep 0.2; cat)")
    _, out, _ = jobs.run(folder)
    assert out.startswith(b"x" * 3000000 + b"end\n")
    assert folder.log.stat().st_size == 3000004


def test_runs_in_the_copy_of_the_code_with_azure_ml_s_folders_and_variables(
    jobs: Any, packages: Path
) -> None:
    folder = jobs.new(
        'pwd; ls -d outputs logs; env; touch "$AZURE_ML_OUTPUT_model/m"; read x || echo no input',
        outputs={"model": "unset"},
        inputs={"rate": {"kind": "literal", "value": "0.1"}},
        environment_variables={"MINE": "yes", "PYTHONUNBUFFERED": "0"},
        python=str(packages),
    )
    record = folder.read()
    record.paths = {"inputs.data": "/some data", "outputs.model": str(folder.outputs / "model")}
    folder.save(record)
    status, out, _ = jobs.run(folder)
    lines = out.decode().splitlines()
    assert (status, lines[:3]) == (0, [str(folder.work), "logs", "outputs"])
    seen = dict(line.split("=", 1) for line in lines if "=" in line)
    expected = {
        "AZUREML_RUN_ID": folder.name,
        "AZUREML_ROOT_RUN_ID": folder.name,
        "AZUREML_ARM_PROJECT_NAME": "exp",
        "AZURE_ML_INPUT_data": "/some data",
        "MLFLOW_RUN_ID": folder.name,
        "MLFLOW_TRACKING_URI": jobs.workspace.mlruns.as_uri(),
        "MLFLOW_EXPERIMENT_NAME": "exp",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MINE": "yes",
        "PYTHONUNBUFFERED": "0",
        "VIRTUAL_ENV": str(folder.path / "environment"),
        "AZUREML_ARM_WORKSPACE_NAME": "local",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "UV_PYTHON": str(folder.path / "environment/bin/python"),
    }
    assert {key: seen[key] for key in expected} == expected
    assert seen["PATH"].startswith(f"{folder.path}/environment/bin:{packages}/bin:")
    assert not {"A_SECRET", "PYTHONPATH", "AZURE_ML_INPUT_rate"} & set(seen)
    assert "no input" in lines
    assert (folder.outputs / "model" / "m").exists()


@pytest.mark.parametrize(
    "sent, passed_on, status",
    [
        pytest.param(signal.SIGINT, "INT", 130, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, "TERM", 143, id="terminated"),
        pytest.param(signal.SIGHUP, "TERM", 129, id="terminal closed"),
    ],
)
def test_a_signal_lets_the_job_clean_up(jobs: Any, sent: int, passed_on: str, status: int) -> None:
    # Under `nohup` a run would ignore that its terminal is closed.
    before = signal.signal(sent, signal.SIG_DFL)
    folder = jobs.new(CLEANS_UP.format(passed_on))
    process = jobs.start(folder)
    signal.signal(sent, before)
    assert process.stdout.readline() == b"up\n"
    process.send_signal(sent)
    assert process.wait(30) == status
    assert (folder.work / "cleaned").exists()
    record = folder.read()
    assert (record.status, record.exit_code, running(folder)) == ("Canceled", status, [])
    assert mlflow_status(folder) == "KILLED"


def test_ctrl_c_reaches_python_as_keyboard_interrupt(jobs: Any) -> None:
    code = "import time\ntry:\n print(1, flush=True); time.sleep(60)\nfinally:\n print('cleaned')"
    folder = jobs.new(f'{sys.executable} -c "{code}"')
    process = jobs.start(folder)
    assert process.stdout.readline() == b"1\n"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"cleaned\n")


def test_a_second_ctrl_c_kills_at_once(jobs: Any) -> None:
    folder = jobs.new(STUBBORN)
    process = jobs.start(folder, grace=60)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    jobs.until(lambda: folder.read().status == "CancelRequested")

    def has_ended() -> bool:
        process.send_signal(signal.SIGINT)
        return process.poll() is not None

    jobs.until(has_ended)
    assert (process.returncode, folder.read().status) == (130, "Canceled")
    assert running(folder) == []


def test_a_job_that_does_not_clean_up_in_time_is_killed(jobs: Any) -> None:
    folder = jobs.new(STUBBORN)
    process = jobs.start(folder, grace=0.3)
    process.stdout.readline()
    process.terminate()
    assert (process.wait(30), running(folder)) == (143, [])


LEAVES_ITS_GROUP = """
import os, time
if os.fork() == 0:
    os.setsid()
    open("b", "w").write(str(os.getpid()))
    time.sleep(60)
"""


def test_kills_what_a_job_leaves_in_the_background(jobs: Any) -> None:
    left = ["sleep 60 & echo $! > a"]
    # macOS hides the environment of some programs, by which those outside the group are found.
    if sys.platform.startswith("linux"):
        left.append(f"{sys.executable} -c '{LEAVES_ITS_GROUP}'; while [ ! -s b ]; do :; done")
    folder = jobs.new("; ".join([*left, "exit 3"]))
    # What was left holds the pipe open, but the run does not wait for it.
    assert jobs.run(folder)[0] == 3
    for name in "ab"[: len(left)]:
        assert identity_of(int((folder.work / name).read_text())) is None
    assert running(folder) == []


def test_a_reader_that_goes_away_does_not_end_the_job(jobs: Any) -> None:
    folder = jobs.new("while [ ! -e go ]; do echo x; sleep 0.01; done; echo end")
    process = jobs.start(folder)
    process.stdout.readline()
    process.stdout.close()
    jobs.until(lambda: folder.log.stat().st_size > 30)
    (folder.work / "go").touch()
    assert (process.stderr.read(), process.wait(30)) == (b"", 0)
    assert folder.log.read_text().endswith("end\n")


@pytest.mark.parametrize("closed", [">&- 2>&-", "<&- >&- 2>&-", "<&- 2>&-"])
def test_runs_without_standard_descriptors(jobs: Any, closed: str) -> None:
    folder = jobs.new("echo said; read x || echo no input")
    run = f'exec "$@" {closed}'
    process = subprocess.run(
        ["sh", "-c", run, "", sys.executable, RUN_SCRIPT, "execute", folder.path],
        env=jobs.environment(),
        check=False,
        timeout=20,
    )
    assert (process.returncode, folder.log.read_text()) == (0, "said\nno input\n")


def test_a_reader_that_pauses_does_not_keep_ctrl_c_from_the_job(jobs: Any) -> None:
    folder = jobs.new("yes")
    process = jobs.start(folder)
    jobs.until(lambda: folder.log.exists() and folder.log.stat().st_size > 65536)
    process.send_signal(signal.SIGINT)
    assert (process.wait(30), folder.read().status) == (130, "Canceled")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_a_job_as_failed_and_lets_it_come_to_its_end(jobs: Any) -> None:
    folder = jobs.new("echo said; echo more > here")
    folder.log.parent.mkdir()
    folder.log.symlink_to("/dev/full")
    status, out, err = jobs.run(folder)
    record = folder.read()
    assert (status, record.status, record.exit_code) == (1, "Failed", 1)
    assert record.error == "the disk is full, so that a part of its log was not kept"
    assert b"Failed after" in err and b"the disk is full" in err
    assert out.startswith(b"said\n")
    assert b"a part of the log was not kept: No space left on device.\n" in err
    assert b"Traceback" not in err
    assert (folder.work / "here").read_text() == "more\n"


def test_obeys_the_time_limit(jobs: Any) -> None:
    folder = jobs.new(CLEANS_UP.format("TERM"), timeout=0.3)
    status, _, err = jobs.run(folder)
    record = folder.read()
    assert (status, record.status) == (124, "Canceled")
    assert record.error == "timed out after 0.3 s (`limits.timeout`)"
    assert f"{folder.name} Canceled after " in err.decode()
    assert (folder.work / "cleaned").exists()


@pytest.mark.parametrize(
    ("command", "variables", "status", "message"),
    [
        pytest.param("echo a\0b", {}, 2, "embedded null byte", id="a NUL"),
        pytest.param("true", {"A=B": ""}, 2, "illegal environment variable name", id="a name"),
        pytest.param(
            f"echo {3_000_000 * 'x'}", {}, 1, "Argument list too long.\n\nShorten", id="a long one"
        ),
    ],
)
def test_reports_a_command_that_no_system_starts(
    jobs: Any, command: str, variables: dict[str, str], status: int, message: str
) -> None:
    folder = jobs.new(command, environment_variables=variables)
    ended, _, err = jobs.run(folder)
    assert (ended, folder.read().status) == (status, "Failed")
    assert err.decode().startswith(f"bash: it could not be started: {message}")


def test_a_pipe_among_the_artifacts_is_left_out(jobs: Any, tmp_path: Path) -> None:
    left = tmp_path / "artifacts"
    folder = jobs.new("mkfifo outputs/pipe; touch outputs/x", outputs={"artifacts": str(left)})
    left.mkdir()
    assert jobs.run(folder)[0] == 0
    assert below(left) == ["logs", "outputs", "outputs/x", "user_logs", "user_logs/std_log.txt"]


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        pytest.param("/nowhere", "code", b"bash: it could not be started", id="no bash"),
        pytest.param("/bin:/usr/bin", "", b"the job could not be run", id="no code"),
    ],
)
def test_reports_what_it_cannot_run(jobs: Any, path: str, code: str, message: bytes) -> None:
    folder = jobs.new("true", environment_variables={"PATH": path})
    if not code:
        (folder.bundle / "code").rmdir()
    status, _, err = jobs.run(folder)
    assert (status, folder.read().status) == (1, "Failed")
    assert message in err and b"Traceback" not in err
    assert mlflow_status(folder) == "FAILED"
