"""The debugger's address, and what a container needs of it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.docker.container import Container, Mount
from azureml_jobs.local.debugger.debugger import CodeCopy, Debugger, requested_debugger
from azureml_jobs.protocol import DEBUGGER_FILE, DebuggerOptions, PackagesVenv


def options(folder: Path, host: str, port: int) -> Path:
    """Write a request with an environment in which the package is a link, as in Pants'."""
    package = folder / "wheel" / "debugpy"
    package.mkdir(parents=True)
    site = folder / "venv/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    (site / "debugpy").symlink_to(package)
    (folder / "venv/bin").mkdir()
    (folder / "venv/bin/python").touch()
    written = DebuggerOptions(host, port, PackagesVenv(str(folder / "venv"), "seed"))
    (folder / DEBUGGER_FILE).write_bytes(written.to_json())
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def test_finds_the_address_and_the_package_itself(tmp_path: Path) -> None:
    assert requested_debugger(tmp_path) is None
    port = free_port()
    found = requested_debugger(options(tmp_path, "127.0.0.1", port))
    assert found == Debugger("127.0.0.1", port, tmp_path / "wheel")


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", 0, "--debug-adapter-port: 0 is not a port"),
        ("127.0.0.1", 70000, "70000 is not a port"),
        ("no such host", 5678, "--debug-adapter-host: unknown host no such host"),
    ],
)
def test_rejects_invalid_addresses(tmp_path: Path, host: str, port: int, message: str) -> None:
    with pytest.raises(JobError, match=message) as caught:
        requested_debugger(options(tmp_path, host, port))
    assert caught.value.status == 2


def test_reports_a_port_that_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OutsideError, match=f"{port}: Address already in use") as caught:
            requested_debugger(options(tmp_path, "127.0.0.1", port))
    assert "--debug-adapter-port=5679" in caught.value.remedy


def test_maps_files_by_the_path_of_the_shell_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "repository").mkdir()
    (tmp_path / "link").symlink_to("repository")
    monkeypatch.setenv("PWD", str(tmp_path / "link"))
    _, settings = written(tmp_path, "127.0.0.1")
    names = ("repository/src/main.py", "link/src/main.py")
    assert list(settings["files"]) == [str(tmp_path / name) for name in names]


def written(folder: Path, host: str, *arguments: str) -> tuple[Container, dict]:
    container = Container("n", "i", "sha256:1", "/in/wd", "1:1", arguments=list(arguments))
    code = CodeCopy(folder / "code", {"main.py": "src/main.py"}, folder / "repository")
    debugger = Debugger(host, 5678, folder / "packages")
    target = debugger.write(folder / "temporary", folder / "final", code, container)
    assert target == "/mnt/azureml/debugger"
    return container, json.loads((folder / "temporary/settings.json").read_text())


@pytest.mark.parametrize(
    ("host", "published", "arguments"),
    [
        ("127.0.0.1", "127.0.0.1:5678:5678", ["--gpus=all"]),
        ("::1", "[::1]:5678:5678", ["--network=host-only", "--gpus=all"]),
    ],
)
def test_a_container_publishes_the_port_at_the_requested_host(
    tmp_path: Path, host: str, published: str, arguments: list[str]
) -> None:
    container, settings = written(tmp_path, host, *arguments)
    assert container.arguments == [*arguments, f"--publish={published}"]
    assert container.mounts == [
        Mount(str(tmp_path / "final"), "/mnt/azureml/debugger", read_only=True),
        Mount(str(tmp_path / "packages"), "/mnt/azureml/debugger-packages", read_only=True),
    ]
    assert (settings["host"], settings["port"]) == ("0.0.0.0", 5678)
    assert settings["packages"] == "/mnt/azureml/debugger-packages"
    assert settings["files"][f"{tmp_path}/repository/src/main.py"] == "/in/wd/main.py"
    assert settings["folders"][0] == [f"{tmp_path}/code", "/in/wd"]


@pytest.mark.parametrize("network", [["--network=host"], ["--net", "host"]])
def test_a_container_in_the_host_s_network_listens_at_the_requested_host(
    tmp_path: Path, network: list[str]
) -> None:
    container, settings = written(tmp_path, "127.0.0.1", *network)
    assert container.arguments == network
    assert settings["host"] == "127.0.0.1"
