"""What whole runs do with images and containers."""

from __future__ import annotations

from azureml_jobs.docker.conftest import base_image_name, docker, has_engine

# What images are built on here.
BASE_IMAGE = base_image_name() if has_engine() else ""
BUILD_ARGUMENTS = f"--docker-build-args=BASE_IMAGE={BASE_IMAGE}"


def image_id(reference: str) -> str:
    return docker("image", "inspect", "--format", "{{.Id}}", reference)


def containers(name: str) -> list[str]:
    """Names of all containers, running or not, that hold `name`."""
    return docker("ps", "--all", "--filter", f"name={name}", "--format", "{{.Names}}").splitlines()
