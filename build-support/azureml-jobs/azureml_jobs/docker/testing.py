"""The Docker engine of this machine for tests; where none answers, tests of it are left out."""

from __future__ import annotations

import os
import shutil
import subprocess

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


needs_docker = pytest.mark.skipif(shutil.which("docker") is None, reason="Docker is not installed")
needs_engine = pytest.mark.skipif(not has_engine(), reason="no Docker engine answers")
