"""Docker on this machine, for tests that need it; where no engine answers they are left out."""

from __future__ import annotations

import os
import subprocess

import pytest

# What images are built on here; a public image by default, which has to be pulled then.
BASE_IMAGE = os.environ.get("TEST_BASE_IMAGE", "python:3.11-slim-bookworm")
BUILD_ARGUMENTS = f"--docker-build-args=BASE_IMAGE={BASE_IMAGE}"


def has_engine() -> bool:
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


needs_engine = pytest.mark.skipif(not has_engine(), reason="no Docker engine answers")


def docker(*arguments: str) -> str:
    """What the command prints, which has to succeed."""
    done = subprocess.run(
        ["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def image_id(reference: str) -> str:
    return docker("image", "inspect", "--format", "{{.Id}}", reference)


def containers(name: str) -> list[str]:
    """Names of all containers, running or not, that hold `name`."""
    return docker("ps", "--all", "--filter", f"name={name}", "--format", "{{.Names}}").splitlines()
