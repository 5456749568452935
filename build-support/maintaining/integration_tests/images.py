"""Images and containers of whole-run tests."""

from __future__ import annotations

from azureml_jobs.docker.conftest import base_image_name, docker, has_engine

NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
# The base of the images that tests build.
BASE_IMAGE = base_image_name() if has_engine() else ""
BUILD_ARGUMENTS = f"--docker-build-args=BASE_IMAGE={BASE_IMAGE}"


def image_id(reference: str) -> str:
    return docker("image", "inspect", "--format", "{{.Id}}", reference)


def containers(name: str) -> list[str]:
    """Return the names of all containers, running or not, that contain `name`."""
    return docker("ps", "--all", "--filter", f"name={name}", "--format", "{{.Names}}").splitlines()
