"""The engine of this machine, for tests that need one; the others run without."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def _has_engine() -> bool:
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


needs_docker = pytest.mark.skipif(shutil.which("docker") is None, reason="Docker is not installed")
needs_engine = pytest.mark.skipif(not _has_engine(), reason="no Docker engine answers")


@pytest.fixture(scope="session")
def base_image() -> str:
    """An image with Python and bash, which the engine has or can pull."""
    image = os.environ.get("TEST_BASE_IMAGE", "python:3.11-slim-bookworm")
    found = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
    if found.returncode != 0:
        subprocess.run(["docker", "pull", "--quiet", image], check=True)
    return image
