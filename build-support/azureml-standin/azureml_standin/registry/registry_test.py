"""Test the registry of images with a real engine that pushes and pulls."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from azureml_jobs.docker.conftest import docker, make_small_image, needs_engine
from azureml_jobs.docker.private_config import signed_in
from azureml_jobs.docker.push import push
from azureml_standin.conftest import Caller
from azureml_standin.service import Service

REPOSITORY = "team/exp"


@pytest.fixture
def host(service: Service) -> Iterator[str]:
    yield f"127.0.0.1:{service.server.port}"
    service.state.forget()


@pytest.fixture
def token(service: Service, host: str) -> str:
    return service.registry.access.refresh_token(host)


@needs_engine
def test_a_job_runs_in_the_image_that_was_pushed(host: str, token: str, caller: Caller) -> None:
    service, name = caller.service, f"{host}/{REPOSITORY}:v1"
    make_small_image(name, "of the image")
    try:
        with signed_in(host, token, os.environ) as variables:
            assert push(name, variables).status == 0
    finally:
        # The job pulls the image.
        docker("image", "rm", "--force", name)
    image = f"{host}/{REPOSITORY}@{service.registry.tags(REPOSITORY)['v1']}"
    environment = caller.put_environment("pushed", image=image)
    code = caller.put_code("for-the-image", {"main.sh": b'echo "$(<sub.txt)"', "sub.txt": b"code"})
    try:
        status = caller.run_job(
            "in-the-image",
            'echo "$(</content)"; bash main.sh; echo made > ${{outputs.result}}/made.txt',
            environmentId=environment,
            codeId=code,
            outputs={"result": {"jobOutputType": "uri_folder", "mode": "ReadWriteMount"}},
        )
    finally:
        docker("image", "rm", "--force", image)
    assert status == "Completed"
    folder = service.execution.folder("in-the-image")
    assert folder.log.read_text() == "of the image\ncode\n"
    assert (folder.outputs / "result/made.txt").read_text() == "made\n"
    record = folder.read()
    assert record.container is not None and record.container.image == image


def test_without_an_engine_a_job_in_a_pushed_image_reports_that_docker_is_missing(
    host: str, caller: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = caller.service
    image = f"{host}/{REPOSITORY}@sha256:{'0' * 64}"
    environment = caller.put_environment("nowhere", image=image)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert caller.run_job("without-docker", environmentId=environment) == "Failed"
    error = service.execution.view("without-docker").error or ""
    assert f"needs Docker for its image {image}; Docker is not installed" in error
