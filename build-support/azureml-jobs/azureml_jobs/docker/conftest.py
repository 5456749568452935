"""Fixtures and helpers of tests that use the Docker engine of this machine."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

# `build-support/maintaining/ci/engine` makes the first one where there is no registry.
_MADE_HERE = "test-base:python-3.11"
_PUBLIC = "python:3.11-slim-bookworm"


def docker(*arguments: str) -> str:
    """Return the output of a command that must succeed."""
    done = subprocess.run(
        ["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def has_engine() -> bool:
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def base_image_name() -> str:
    """Return an image with Python 3.11 and bash, which the engine has or can pull."""
    named = os.environ.get("TEST_BASE_IMAGE")
    if named:
        return named
    return _MADE_HERE if docker("image", "ls", "--quiet", _MADE_HERE) else _PUBLIC


def make_small_image(name: str, content: str = "", architecture: str = "amd64") -> None:
    """Make an image of this machine's bash, with `content` in the file `/content`.

    It is small enough to be pushed and pulled in each test.
    """
    bash = shutil.which("bash")
    assert bash is not None
    linked = subprocess.run(["ldd", bash], stdout=subprocess.PIPE, text=True, check=True).stdout
    libraries = re.findall(r"(/\S+) \(0x", linked)
    files = {path: Path(path).read_bytes() for path in libraries}
    shells = dict.fromkeys(("bin/bash", "bin/sh"), Path(bash).read_bytes())
    layer = _tar({**files, **shells, "content": content.encode()})
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    parts = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    saved = {
        "manifest.json": json.dumps(parts).encode(),
        "config.json": json.dumps(config).encode(),
        "layer.tar": layer,
    }
    done = subprocess.run(["docker", "load"], input=_tar(saved), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def _tar(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


needs_docker = pytest.mark.skipif(shutil.which("docker") is None, reason="Docker is not installed")
needs_engine = pytest.mark.skipif(not has_engine(), reason="no Docker engine answers")


@pytest.fixture(scope="session")
def base_image() -> str:
    """Return an image that the engine has."""
    image = base_image_name()
    if not docker("image", "ls", "--quiet", image):
        docker("pull", "--quiet", image)
    return image
