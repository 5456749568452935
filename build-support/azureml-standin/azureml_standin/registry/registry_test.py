"""Test the registry of images with a real engine that pushes and pulls."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from azureml_jobs.docker.conftest import docker, make_small_image, needs_engine
from azureml_jobs.docker.private_config import signed_in
from azureml_jobs.docker.push import push
from azureml_standin.conftest import Caller, wait_for_end
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
        with signed_in(host, token, os.environ) as environment:
            assert push(name, environment).status == 0
    finally:
        # The job pulls the image.
        docker("image", "rm", "--force", name)
    image = f"{host}/{REPOSITORY}@{service.registry.tags(REPOSITORY)['v1']}"
    put = {"properties": {"image": image}}
    environment_id = caller.arm("PUT", "/environments/pushed/versions/1", put).json()["id"]
    code = caller.put_code("for-the-image", {"main.sh": b'echo "$(<sub.txt)"', "sub.txt": b"code"})
    job = caller.command_job(
        'echo "$(</content)"; bash main.sh; echo made > ${{outputs.result}}/made.txt',
        environmentId=environment_id,
        codeId=code,
        outputs={"result": {"jobOutputType": "uri_folder", "mode": "ReadWriteMount"}},
    )
    try:
        assert caller.arm("PUT", "/jobs/in-the-image", job).status == 201
        assert wait_for_end(service, "in-the-image") == "Completed"
    finally:
        docker("image", "rm", "--force", image)
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
    put = {"properties": {"image": image}}
    environment_id = caller.arm("PUT", "/environments/nowhere/versions/1", put).json()["id"]
    monkeypatch.setenv("PATH", str(tmp_path))
    job = caller.command_job(environmentId=environment_id)
    assert caller.arm("PUT", "/jobs/without-docker", job).status == 201
    assert wait_for_end(service, "without-docker") == "Failed"
    error = service.execution.view("without-docker").error or ""
    assert f"needs Docker for its image {image}; Docker is not installed" in error
