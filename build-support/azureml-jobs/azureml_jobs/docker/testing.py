"""The Docker engine of this machine for tests; where none answers, tests of it are left out."""

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

# `.ci/engine` makes the first where no registry is reached.
_MADE_HERE = "test-base:python-3.11"
_PUBLIC = "python:3.11-slim-bookworm"


def docker(*arguments: str) -> str:
    """What the command prints, which has to succeed."""
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
    """An image with Python 3.11 and bash, which the engine has or can pull."""
    named = os.environ.get("TEST_BASE_IMAGE")
    if named:
        return named
    return _MADE_HERE if docker("image", "ls", "--quiet", _MADE_HERE) else _PUBLIC


def make_small_image(name: str, content: str = "", architecture: str = "amd64") -> None:
    """An image of bash alone, made of this machine's own; its file `/content` holds `content`.

    It is small enough to be pushed and pulled in each test.
    """
    bash = shutil.which("bash")
    assert bash is not None
    said = subprocess.run(["ldd", bash], stdout=subprocess.PIPE, text=True, check=True).stdout
    libraries = re.findall(r"(/\S+) \(0x", said)
    files = {path: Path(path).read_bytes() for path in libraries}
    layer = _tar({**files, "bin/bash": Path(bash).read_bytes(), "content": content.encode()})
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
