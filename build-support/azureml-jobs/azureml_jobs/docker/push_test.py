"""What is shown and kept of `docker push`, with a script in place of Docker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.conftest import Tool
from azureml_jobs.docker.push import push

DOCKER = """\
#!/bin/sh
exec 3<&1
if [ -t 1 ]; then echo "a terminal of $(stty size <&3)"; else echo "no terminal"; fi
printf '0123456789ab: Pushing [==>  ]  1MB/2MB\\r'
printf '\\033[1A\\033[2K\\r0123456789ab: Pushed \\033[1B\\n'
echo 'ba9876543210: Layer already exists'
echo "$2: digest: sha256:00" >&2
exit 3
"""
PUSH = """
import os, sys
from azureml_jobs.docker.push import push
result = push("exp:v1", os.environ)
print(result.status, sorted(result.layers), result.last_line, flush=True)
"""


def with_docker(folder: Path, script: str) -> dict[str, str]:
    program = folder / "docker"
    program.write_text(script)
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def test_output_is_passed_on_without_a_terminal(tmp_path: Path, tool: Tool) -> None:
    done = tool.run("-c", PUSH, **with_docker(tmp_path, DOCKER))
    assert done.stdout == "3 ['0123456789ab'] exp:v1: digest: sha256:00\n"
    assert done.stderr.startswith("no terminal\n0123456789ab: Pushing")
    assert "ba9876543210: Layer already exists\n" in done.stderr


def test_docker_gets_a_terminal_of_the_same_size(tmp_path: Path, tool: Tool) -> None:
    environment = {**Tool.environment(), **with_docker(tmp_path, DOCKER)}
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (33, 99))
    command = [sys.executable, "-c", PUSH]
    printed = subprocess.check_output(command, env=environment, stderr=theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(theirs)
    assert "a terminal of 33 99\r\n" in shown.replace("\r\r\n", "\r\n")
    assert printed == b"3 ['0123456789ab'] exp:v1: digest: sha256:00\n"


def test_docker_ends_with_the_push(tmp_path: Path, tool: Tool) -> None:
    script = "#!/bin/sh\necho $$\nexec sleep 100\n"
    environment = {**Tool.environment(), **with_docker(tmp_path, script)}
    process = subprocess.Popen(
        [sys.executable, "-c", PUSH], env=environment, stderr=subprocess.PIPE
    )
    assert process.stderr
    docker = int(process.stderr.readline())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    with pytest.raises(ProcessLookupError):
        os.kill(docker, 0)


def test_reports_that_docker_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutsideError, match="docker: it cannot be started: No such file"):
        push("exp:v1", os.environ)
