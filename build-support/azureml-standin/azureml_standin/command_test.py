"""Test `service` as a user starts it: in the foreground, and around a command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from azureml_jobs.base.exec_after_pants import RUN_SCRIPT
from azureml_jobs.conftest import Tool
from azureml_standin.command import ENVIRONMENT_FILE

RUN = str(RUN_SCRIPT)
# What a client does first: read the metadata of the cloud, over TLS.
READS_METADATA = """\
import json, os, ssl, urllib.request
context = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
)
answer = opener.open(os.environ["ARM_CLOUD_METADATA_URL"])
print(json.load(answer)[0]["resourceManager"] == os.environ["CLOUD"] + "/")
print(os.environ["WORKSPACE"])
raise SystemExit(5)
"""


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    return Tool(tmp_path)


def service(tool: Tool, *arguments: str) -> subprocess.CompletedProcess[str]:
    return tool.run(RUN, "workspace", "--repository", str(tool.folder), "service", *arguments)


def test_runs_a_command_and_returns_its_exit_status(tool: Tool) -> None:
    done = service(tool, "--", sys.executable, "-c", READS_METADATA)
    assert (done.returncode, done.stdout) == (5, "True\nstandin-workspace\n"), done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--python", "nowhere"], "there is no `bin/python` in this folder"),
        (["--", "no-such-command"], "cannot be started"),
    ],
)
def test_reports_what_cannot_be_run(tool: Tool, arguments: list[str], expected: str) -> None:
    done = service(tool, *arguments)
    assert done.returncode == 2 and expected in done.stderr
    assert "Traceback" not in done.stderr


def test_has_the_named_clusters_only(tool: Tool) -> None:
    doctor = [sys.executable, RUN, "workspace", "--repository", str(tool.folder), "doctor"]
    done = service(tool, "--compute", "mine", "--", *doctor)
    (line,) = (line for line in done.stdout.splitlines() if " compute" in line)
    assert line.split(maxsplit=2)[2] == "mine (Succeeded)"


def test_under_nohup_the_command_outlives_the_terminal(tool: Tool) -> None:
    command = ["bash", "-c", "kill -HUP $PPID; sleep 0.5; echo went on"]
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        done = service(tool, "--", *command)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (done.returncode, done.stdout) == (0, "went on\n")


def test_ends_its_command_where_only_the_service_gets_the_signal(tool: Tool) -> None:
    ours, terminal = os.openpty()
    start = [sys.executable, RUN, "workspace", "--repository", str(tool.folder), "service", "--"]
    command = ["bash", "-c", "kill -TERM $PPID; exec sleep 10"]
    try:
        done = subprocess.run([*start, *command], stdin=terminal, env=tool.environment())
    finally:
        os.close(terminal)
        os.close(ours)
    assert done.returncode == 128 + signal.SIGTERM


def test_prints_how_to_use_it_and_stops_on_ctrl_c(tool: Tool) -> None:
    process = subprocess.Popen(
        [sys.executable, RUN, "workspace", "--repository", str(tool.folder), "service"],
        cwd=tool.folder,
        env=tool.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        output = ""
        while "Ctrl-C" not in output:
            line = process.stderr.readline()
            assert line, output
            output += line
        assert "  . .azureml/service/environment\n" in output
        file = tool.folder / ".azureml/service" / ENVIRONMENT_FILE
        assert file.stat().st_mode & 0o777 == 0o600
        second = service(tool)
        assert second.returncode == 2 and "running on this folder already" in second.stderr
        client = subprocess.run(
            ["bash", "-c", f". {file}; {sys.executable} -c '{READS_METADATA}'"],
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert client.stdout == "True\nstandin-workspace\n"
    finally:
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "")
    assert not file.exists()
