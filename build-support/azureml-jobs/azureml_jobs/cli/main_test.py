"""The job tool in its own processes, with their exit statuses and output."""

from __future__ import annotations

import errno
import json
import os
import pkgutil
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import run
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.bundle.manifest_file import read_manifest
from azureml_jobs.cli import aml
from azureml_jobs.cli import main as cli
from azureml_jobs.conftest import CONTEXT_JOB, JOB, Gathered, Tool, tree
from azureml_jobs.protocol import (
    DEBUGGER_FILE,
    DebuggerOptions,
    JobRequest,
    PackagesVenv,
    RuntimeOptions,
    ScriptRequest,
)

RUN = str(Path(run.__file__ or "").resolve())
CONFIGURED = "SUBSCRIPTION_ID=00000000-0000-4000-8000-000000001234\nRESOURCE_GROUP=g\nWORKSPACE=w\n"


@pytest.fixture
def ready(gathered: Gathered, venv: PackagesVenv) -> Gathered:
    """Return a job whose packages are installed."""
    gathered.add_code()
    return gathered


def job(
    tool: Tool, request: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return tool.run(RUN, "job", "--request", str(request), *arguments, **environment)


# Records the modules that a run loads, and rejects connections.
WATCHED = """
import atexit, json, runpy, socket, sys
def refuse(*arguments):
    raise AssertionError("a connection was made")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.create_connection = refuse
output, *sys.argv = sys.argv[1:]
def leave_modules():
    with open(output, "w") as file:
        json.dump(sorted(sys.modules), file)
atexit.register(leave_modules)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
HEAVY = ("azure", "mlflow", "docker", "rich", "msal", "requests", "numpy")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        pytest.param(["--dry-run"], 0, id="a dry run"),
        pytest.param(["--dry-run", "--json", "--set", "inputs.epochs=9"], 0, id="as JSON"),
        pytest.param(["--dry-run", "--set", "nothing"], 2, id="an error"),
        pytest.param(["--help"], 0, id="help"),
        pytest.param([], 0, id="a job on this machine"),
    ],
)
def test_loads_no_heavy_module_and_makes_no_connection(
    ready: Gathered, tool: Tool, tmp_path: Path, arguments: list[str], status: int
) -> None:
    ready.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    request, modules = ready.request(CONTEXT_JOB), tmp_path / "modules.json"
    # The search for secrets loads its library for files that it has not seen before.
    ready.plan(CONTEXT_JOB)
    done = tool.run(
        *("-c", WATCHED, str(modules), RUN, "job", "--request", str(request), *arguments),
        AZUREML_JOBS_EXEC_FILE=str(tmp_path / "command"),
    )
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
    loaded = {name.partition(".")[0] for name in json.loads(modules.read_text())}
    assert loaded.isdisjoint(HEAVY)
    # The recording works.
    assert "azureml_jobs" in loaded and "pytest" not in loaded


@pytest.mark.parametrize("module", ["local.execute", "local.script", "azure.submit"])
def test_what_runs_or_sends_a_job_loads_nothing_that_plans_one(tool: Tool, module: str) -> None:
    script = f"import json, sys, azureml_jobs.{module}\nprint(json.dumps(list(sys.modules)))"
    loaded = tool.json(script)
    assert f"azureml_jobs.{module}" in loaded and "azureml_jobs.bundle.contents" not in loaded


def test_shows_what_would_be_sent_and_writes_nothing(ready: Gathered, tool: Tool) -> None:
    ready.add("src/exp/größe.py")
    (ready.repository / "config.env").write_text(CONFIGURED)
    request = ready.request(f"{JOB}resources: {{properties: {{since: 2026-01-31}}}}\n")
    before = tree(ready.folder.parent)
    setting = ("--set", "inputs.epochs=9")
    text = job(tool, request, "--dry-run", *setting, PYTHONIOENCODING="ascii")
    data = job(tool, request, "--dry-run", "--json", "--local", *setting, PYTHONIOENCODING="ascii")
    assert (text.returncode, text.stderr, data.returncode, data.stderr) == (0, "", 0, "")
    assert text.stdout.startswith("src/exp:job would run in the Azure ML workspace w in g.")
    # The terminal has no such letters.
    assert "exp/gr\\xf6\\xdfe.py" in text.stdout
    shown = json.loads(data.stdout)
    assert shown["job"]["inputs"] == {"epochs": 9} and shown["destination"]["kind"] == "local"
    assert shown["job"]["resources"]["properties"] == {"since": "2026-01-31"}
    assert tree(ready.folder.parent) == before


def test_writes_the_job_and_leaves_its_start_to_the_launcher(
    ready: Gathered, tool: Tool, tmp_path: Path
) -> None:
    command = str(tmp_path / "command")
    written = ["--runtime=venv", "--set", "inputs.epochs=9", "--tag", "a=b c"]
    done = job(tool, ready.request(), *written, AZUREML_JOBS_EXEC_FILE=command)
    assert (done.returncode, done.stdout) == (0, "")
    (folder,) = (ready.repository / ".azureml/jobs").iterdir()
    assert done.stderr == (
        f"Local workspace (config.env names no workspace): {folder.name}\n" "Runtime: venv\n"
    )
    parts = [os.fsdecode(part) for part in (tmp_path / "command").read_bytes().split(b"\0")]
    assert parts[1:] == [RUN, "execute", str(folder), ""]
    assert json.loads((folder / "job.json").read_text())["status"] == "NotStarted"
    manifest = read_manifest(folder / "bundle")
    assert manifest["overrides"] == ["inputs.epochs=9", "tags.a=b c"]
    assert manifest["made"]["command_line"] == f"./pants run src/exp:job -- {shlex.join(written)}"


@pytest.mark.parametrize("how", ["--dry-run", "--runtime=venv", "package"])
def test_warns_when_git_refuses(
    ready: Gathered, tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=ready.repository, check=True)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("AZUREML_JOBS_EXEC_FILE", str(tmp_path / "command"))
    if how == "package":
        done = bundle(tool, ready, JOB, tmp_path / "bundle")
    else:
        done = job(tool, ready.request(), how)
    assert done.returncode == 0
    assert "warning: git refuses, and the commit and the changes of this code" in done.stderr
    assert f"git config --global --add safe.directory '{ready.repository}'" in done.stderr


def test_rejects_a_debugger_for_a_job_elsewhere(ready: Gathered, tool: Tool) -> None:
    request = ready.request()
    options = DebuggerOptions("no such host", 5678, PackagesVenv("/gone", "seed"))
    (ready.folder / DEBUGGER_FILE).write_bytes(options.to_json())
    done = job(tool, request, "--runtime=venv")
    assert done.returncode == 2
    assert "--debug-adapter-host: unknown host no such host" in done.stderr
    (ready.repository / "config.env").write_text(CONFIGURED)
    done = job(tool, request)
    assert done.returncode == 2
    assert "a debugger reaches jobs on this machine only" in done.stderr
    assert not (ready.repository / ".azureml").exists()


@pytest.mark.parametrize("target", [*cli.COMMANDS.values(), *cli.COMMANDS_AFTER_PANTS.values()])
def test_every_command_has_its_function(target: str) -> None:
    assert callable(pkgutil.resolve_name(target))


GONE_JOB = JOB.replace("inputs:\n", "inputs:\n  d: {type: uri_file, path: gone.csv}\n")
ERRORS = {
    "no YAML": ("a: b: c", [], "src/exp/azure-ml-job.yaml: line 1, column 5"),
    "an unknown key": (f"comand: x\n{JOB}", [], "unknown key `comand`"),
    "a placeholder": (f"compute: <cluster>\n{JOB}", [], "placeholder `<cluster>`"),
    "an override": (JOB, ["--set", "inputs.epochs=x"], "inputs.epochs"),
    "an input as a key": (JOB, ["--set", "epochs=5"], "Write `--set inputs.epochs=5`."),
    "values of a sweep": (
        JOB,
        ["--set", "inputs.epochs=5, 10"],
        "`search_space: {epochs: {type: choice, values: [5, 10]}}`",
    ),
    "another command": (JOB, ["--set", "command=python gone.py"], "gone.py"),
}


@pytest.mark.parametrize(("text", "settings", "message"), ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("arguments", [[], ["--dry-run"]], ids=["run", "dry run"])
def test_reports_an_error_with_status_2_and_writes_nothing(
    ready: Gathered,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    text: str,
    settings: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(ready.repository)
    monkeypatch.setenv("AZUREML_JOBS_EXEC_FILE", str(tmp_path / "command"))
    request = ready.request(text)
    before = tree(tmp_path)
    assert cli.main(["job", "--request", str(request), *arguments, *settings]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: src/exp/azure-ml-job.yaml") and message in shown.err
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("given", "config", "note"),
    [
        pytest.param("gone.csv", "", "gone.csv does not exist", id="a path"),
        pytest.param("gone.csv", CONFIGURED, "gone.csv does not exist", id="a path to upload"),
        pytest.param(
            "azureml:t:1", "", "azureml:t:1: the local workspace has no such data", id="a name"
        ),
        pytest.param("azureml:t:1", CONFIGURED, "", id="a name in the workspace"),
    ],
)
def test_a_dry_run_notes_data_that_is_not_on_this_machine(
    ready: Gathered,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str,
    config: str,
    note: str,
) -> None:
    monkeypatch.chdir(ready.repository)
    (ready.repository / "config.env").write_text(config)
    request = ready.request(GONE_JOB.replace("gone.csv", given))
    assert cli.main(["job", "--request", str(request), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert (note in shown) if note else ("Not on this machine" not in shown)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param(
            "type: pipeline\njobs: {a: {type: command, component: 'azureml:c:1'},"
            " s: {type: spark, component: 'azureml:s:1'}}\n",
            "src/exp/azure-ml-job.yaml: jobs.s (spark step)",
            id="a step",
        ),
        pytest.param(
            "type: spark\nentry: {file: a.py}\nresources: {instance_type: standard_e4s_v3,"
            " runtime_version: '3.3'}\nconf: {spark.driver.cores: 1, spark.driver.memory: 1g,"
            " spark.executor.cores: 1, spark.executor.memory: 1g, spark.executor.instances: 1}\n",
            "spark job",
            id="a job",
        ),
    ],
)
def test_says_in_one_line_what_only_azure_ml_runs(
    ready: Gathered,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
    named: str,
) -> None:
    monkeypatch.chdir(ready.repository)
    assert cli.main(["job", "--request", str(ready.request(text))]) == 2
    assert capsys.readouterr().err == (
        f"error: src/exp/azure-ml-job.yaml: only Azure ML runs this: {named}.\n\n"
        "Name a workspace in config.env, and run the same command again.\n"
    )
    assert not (ready.repository / ".azureml").exists()


@pytest.mark.parametrize(
    "kind", [pytest.param("command", id="ours"), pytest.param("spark", id="one for Azure ML only")]
)
def test_registers_a_component_in_the_local_workspace(
    ready: Gathered,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    monkeypatch.chdir(ready.repository)
    text = {"command": "command: python -m exp.main\nenvironment: azureml:env:1\n"}.get(
        kind, "entry: {file: exp/main.py}\n"
    )
    request = ready.request(f"name: c\nversion: '2'\ntype: {kind}\ncode: ..\n{text}")
    assert cli.main(["job", "--request", str(request), "--local"]) == 0
    printed = "azureml:c:2 registered in the local workspace\n"
    assert capsys.readouterr().out == printed
    assert (ready.repository / ".azureml/components/c/2/content/code/exp/main.py").is_file()


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("job", ["--json"], "--json goes with --dry-run"),
        ("job", ["--set"], "--set: expected one argument"),
        ("job", ["--seed", "x"], "--seed: not a seed: x. Write 0 to 4294967295"),
        ("job", ["--seed", "-1"], "--seed: not a seed: -1."),
        ("job", ["--seed", "4294967296"], "--seed: not a seed: 4294967296."),
        ("jupyter", ["--port", "65536"], "--port: not a port: 65536. Write 1 to 65535"),
    ],
    ids=str,
)
def test_rejects_invalid_options(
    capsys: pytest.CaptureFixture[str], command: str, arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--request", "unread", *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["--epochs", "5"], "Write `--set inputs.epochs=5`."),
        (["--epochs=5", "--dry-run"], "Write `--set inputs.epochs=5`."),
        (["epochs=5"], "Write `--set inputs.epochs=5`."),
        (["inputs.epochs=5"], "Write `--set inputs.epochs=5`."),
        (["compute=gpu"], "Write `--set compute=gpu`."),
        (["--dry"], "Did you mean `--dry-run`?"),
        (["--lr", "5"], "`--set inputs.NAME=VALUE`. All options: `--help`."),
        (["--tag", "owner", "me"], "Write `--tag owner=me`."),
        (["--tag", "owner"], "Write `--tag owner=VALUE`."),
    ],
    ids=" ".join,
)
def test_answers_what_is_no_option_with_the_one_to_write(
    ready: Gathered, capsys: pytest.CaptureFixture[str], words: list[str], remedy: str
) -> None:
    assert cli.main(["job", "--request", str(ready.request()), "--local", *words]) == 2
    assert capsys.readouterr().err.strip().endswith(remedy)


def bundle(
    tool: Tool, gathered: Gathered, text: str, output: Path
) -> subprocess.CompletedProcess[str]:
    request = gathered.request(text)
    places = ("--output", str(output), "--repository", str(gathered.repository))
    return tool.run(RUN, "bundle", "--request", str(request), *places)


def test_writes_a_bundle_whose_code_runs_alone(
    gathered: Gathered, tool: Tool, tmp_path: Path
) -> None:
    gathered.add_code()
    gathered.add("src/exp/main.py", "import sys\nimport common.a\nprint(common.a.A, sys.argv)\n")
    output = tmp_path / "bundle"
    done = bundle(tool, gathered, JOB, output)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    command = [sys.executable, "-m", "exp.main", "--epochs"]
    shown = subprocess.check_output(command, cwd=output / "code", env={}, encoding="utf-8")
    assert shown.startswith("1 [") and "'--epochs'" in shown


@pytest.mark.parametrize(
    ("text", "output", "status", "printed"),
    [
        pytest.param(
            f"comand: x\n{JOB}",
            "bundle",
            2,
            "error: src/exp/azure-ml-job.yaml: comand: unknown key",
            id="an error",
        ),
        pytest.param(
            f"compute: azureml:<cluster>\n{JOB}",
            "bundle",
            0,
            "warning: src/exp/azure-ml-job.yaml: compute: the placeholder",
            id="a placeholder",
        ),
        pytest.param(
            GONE_JOB,
            "bundle",
            0,
            "warning: src/exp/azure-ml-job.yaml: inputs.d.path: gone.csv does not",
            id="data that is gone",
        ),
        pytest.param(
            JOB,
            "file/bundle",
            1,
            "error: src/exp:job: its bundle could not be written: Not a dir",
            id="no place",
        ),
    ],
)
def test_reports_what_is_wrong_with_a_bundle(
    gathered: Gathered,
    tool: Tool,
    tmp_path: Path,
    text: str,
    output: str,
    status: int,
    printed: str,
) -> None:
    gathered.add_code()
    (tmp_path / "file").write_text("")
    done = bundle(tool, gathered, text, tmp_path / output)
    assert (done.returncode, (tmp_path / output).exists()) == (status, status == 0)
    assert done.stderr.startswith(printed) and "Traceback" not in done.stderr
    if text == GONE_JOB:
        written = (tmp_path / "bundle/azure-ml-job.yaml").read_text(encoding="utf-8")
        assert "path: ./data/d/gone.csv\n" in written


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        pytest.param(JobError("a", "b", "c"), 2, "error: a: b.\n\nc\n", id="an error of the user"),
        pytest.param(OutsideError("a", "b"), 1, "error: a: b.\n", id="a failure outside"),
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device", "a/b"),
            1,
            "error: a/b: the disk is full.\n\nMake room there, and type the same command again.\n",
            id="a full disk",
        ),
        pytest.param(
            OSError(errno.ENAMETOOLONG, "File name too long", "a/bb"),
            2,
            "error: a/bb: the name is too long for this system.\n\nWrite a shorter one.\n",
            id="a long name",
        ),
        pytest.param(KeyboardInterrupt(), 130, "", id="Ctrl-C"),
        pytest.param(ZeroDivisionError(), None, "", id="our own bug"),
    ],
)
def test_each_kind_of_failure_has_its_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int | None,
    message: str,
) -> None:
    def raises(arguments: Any) -> int:
        raise error

    monkeypatch.setattr(aml, "run_aml", raises)
    if status:
        assert cli.main(["workspace"]) == status
        assert capsys.readouterr() == ("", message)
    else:
        # It shows a traceback.
        with pytest.raises(type(error)):
            cli.main(["workspace"])


@pytest.mark.parametrize("is_buffered", [True, False], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("arguments", [["--dry-run"], ["--help"]], ids=["a dry run", "help"])
def test_prints_nothing_when_the_reader_of_a_pipe_is_gone(
    ready: Gathered, tool: Tool, arguments: list[str], is_buffered: bool
) -> None:
    command = [sys.executable, RUN, "job", "--request", str(ready.request()), *arguments]
    # The reader is gone before the first byte; `head -1` would wait for a line.
    script = f"({shlex.join(command)}; echo $? >&2) | true"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tool.folder,
        env=tool.environment(PYTHONUNBUFFERED="" if is_buffered else "1"),
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.stderr == "0\n"


def test_reports_that_what_it_prints_to_is_full(ready: Gathered, tool: Tool) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, RUN, "job", "--request", str(ready.request()), "--dry-run"],
            cwd=tool.folder,
            env=tool.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: standard output: the disk is full.\n")


WAITING = """
import signal, sys, time
from azureml_jobs.cli import aml, main as cli
# A script ignores it in processes that it runs in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
def wait(arguments):
    print("ready", flush=True)
    time.sleep(60)
aml.run_aml = wait
sys.exit(cli.main(["workspace"]))
"""


def test_ends_at_ctrl_c_without_a_traceback(tool: Tool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING],
        env=tool.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, b"")


def test_passes_all_arguments_behind_the_dashes_to_a_script(
    ready: Gathered, tool: Tool, tmp_path: Path
) -> None:
    job = JobRequest.read(ready.request())
    script = ScriptRequest(
        "src/exp:local",
        "src/exp/main.py",
        job.units[0].files,
        venv=job.units[0].venv,
        options=RuntimeOptions("venv"),
    )
    (ready.folder / "request.json").write_bytes(script.to_json())
    arguments = ["--help", "--", "--request=x", "a b"]
    done = tool.run(
        *(RUN, "local", "--request", str(ready.folder / "request.json"), "--", *arguments),
        AZUREML_JOBS_EXEC_FILE=str(tmp_path / "command"),
    )
    assert (done.returncode, done.stderr) == (0, "Runtime: venv\n")
    (folder,) = (ready.repository / ".azureml/local").iterdir()
    argv = json.loads((folder / "script.json").read_text())["argv"]
    assert argv[-2 - len(arguments) :] == ["python", "exp/main.py", *arguments]
    parts = [os.fsdecode(part) for part in (tmp_path / "command").read_bytes().split(b"\0")]
    assert parts[1:] == [RUN, "execute-script", str(folder), ""]


def test_reports_the_errors_that_the_plugin_found(gathered: Gathered, tool: Tool) -> None:
    error = "a:local: entry_point: there is no file gone.py."
    script = ScriptRequest("a:local", None, (), errors=(error,))
    (gathered.folder / "request.json").write_bytes(script.to_json())
    done = tool.run(RUN, "local", "--request", str(gathered.folder / "request.json"), "--")
    assert done.returncode == 2
    assert done.stderr == f"error: {error}\n"
