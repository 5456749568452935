"""Run the first commands of a project's README on a minimal Debian, with git and Python 3.11."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from azureml_jobs.docker.conftest import docker, needs_engine
from documents import blocks, first_not_printed
from projects import begin
from scratch import Scratch

IMAGE = os.environ.get("TEST_MINIMAL_IMAGE", "test-minimal:debian-12")
# How this machine reaches the package index. The files among these are mounted at the same path.
HANDED_ON = re.compile(r"PIP_\w+|(HTTPS?|NO)_PROXY|SSL_CERT_FILE|REQUESTS_CA_BUNDLE", re.IGNORECASE)
CONFIGURATION = {
    Path("/etc/pip.conf"): "/etc/pip.conf",
    Path.home() / ".config/pip/pip.conf": "/root/.config/pip/pip.conf",
    Path.home() / ".pip/pip.conf": "/root/.pip/pip.conf",
}
pytestmark = needs_engine


def machine(variables: Mapping[str, str]) -> list[str]:
    """Return options of `docker run` by which a container reaches the package index."""
    handed_on = {name: value for name, value in variables.items() if HANDED_ON.fullmatch(name)}
    named = {Path(value): value for value in handed_on.values() if os.path.isfile(value)}
    mounted = {**CONFIGURATION, **named}
    return [
        "--network=host",
        *(f"--env={name}={value}" for name, value in handed_on.items()),
        *(f"--volume={path}:{to}:ro" for path, to in mounted.items() if path.is_file()),
    ]


class Debian:
    """A container of the minimal image that has a copy of a checkout."""

    def __init__(self, checkout: Path) -> None:
        options = (*machine(os.environ), f"--volume={checkout}:/checkout:ro")
        self.name = docker("run", "--detach", "--rm", *options, IMAGE, "sleep", "1200")
        self.run("cp -r /checkout /root/repository")

    def run(self, command: str) -> str:
        ran = subprocess.run(
            ["docker", "exec", "--workdir=/root", self.name, "bash", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}"
        return ran.stdout


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    if not docker("image", "ls", "--quiet", IMAGE):
        pytest.skip(f"there is no image {IMAGE}: build-support/maintaining/ci/engine makes it")
    template = Scratch(tmp_path_factory.mktemp("template"))
    project = begin(template, tmp_path_factory.mktemp("project") / "wine", project_name="Wine")
    root = Debian(project.root)
    yield root
    # The engine removes it in the background, which takes as long as tens of tests.
    docker("kill", root.name)


def test_the_machine_has_one_python_and_no_pip(debian: Debian) -> None:
    assert debian.run("ls /usr/bin/python3.* | xargs -n1 basename") == "python3.11\n"
    debian.run("! type pip pip3 gcc docker")


# `docs_integration_test.py` runs the README's other commands, with the packages of this machine.
def test_the_first_command_of_the_readme_ends_well(debian: Debian) -> None:
    # pip's older resolver fails at any constraint, when it downloads what a lock names.
    configuration = r"[global]\nconstraint = /root/constraints.txt\n"
    debian.run(f"mkdir -p /etc/xdg/pip && printf '{configuration}' >/etc/xdg/pip/pip.conf")
    debian.run("echo 'torch<3' >constraints.txt")
    page = debian.run("cat repository/README.md")
    # The README shows a machine that has Docker, but not running.
    page = page.replace("(no Docker engine answers)", "(Docker is not installed)")
    ((command, lines),) = next(block for block in blocks(page) if block.commands).outputs.items()
    printed = debian.run(f"cd repository && {command}")
    missing = first_not_printed(lines, printed)
    assert not missing, f"{command} does not print {missing!r}:\n{printed}"
    # Packages are unpacked once: other names of a wheel are links to it.
    unpacked = debian.run("find .cache/pants/named_caches/pex_root -path '*/six-*.whl/six.py'")
    assert len(unpacked.splitlines()) == 1, unpacked
