"""The runtime of a job is chosen and printed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.conftest import JOB, Gathered
from azureml_jobs.docker.conftest import base_image  # noqa: F401
from azureml_jobs.docker.conftest import needs_docker, needs_engine
from azureml_jobs.docker.engine import image_id
from azureml_jobs.docker.needed_image import NeededImage, needed_image_of
from azureml_jobs.local.runtimes import RuntimeChoice, only_docker

BUILT = NeededImage("env-0123456789ab", "src/exp:env")


@pytest.mark.parametrize(
    "option, arguments, expected",
    [
        ("docker", [], True),
        ("auto", [], False),
        ("auto", ["--runtime", "docker"], True),
        ("auto", ["--stream", "--runtime=docker"], True),
        ("docker", ["--runtime=venv"], False),
        ("docker", ["--set", "inputs.x=1"], True),
    ],
)
def test_knows_whether_a_run_requires_docker(
    option: str, arguments: Sequence[str], expected: bool
) -> None:
    assert only_docker(option, arguments) is expected


def test_a_run_in_a_virtual_environment_asks_no_engine(tmp_path: Path) -> None:
    runtime = RuntimeChoice("venv", {"PATH": "/nowhere"}).choose(BUILT, "src/exp:job")
    assert (runtime.name, str(runtime)) == ("venv", "Runtime: venv")
    runtime = RuntimeChoice("auto", {"PATH": str(tmp_path)}).choose(BUILT, "src/exp:job")
    assert str(runtime) == "Runtime: venv (Docker is not installed)"


@needs_docker
def test_docker_is_required_or_left_out_without_an_engine(tmp_path: Path) -> None:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/gone.sock"}
    runtime = RuntimeChoice("auto", environment).choose(BUILT, "src/exp:job")
    assert str(runtime) == "Runtime: venv (no Docker engine answers)"
    message = "^src/exp:job: it must run in Docker, but no Docker engine answers: .*gone.sock[^?]*$"
    with pytest.raises(OutsideError, match=message):
        RuntimeChoice("docker", environment).choose(BUILT, "src/exp:job")


@needs_engine
def test_a_missing_image_is_an_error_only_when_docker_is_required() -> None:
    runtime = RuntimeChoice("auto", os.environ).choose(BUILT, "src/exp:job")
    assert str(runtime) == (
        "Runtime: venv (the image does not exist yet: ./pants package src/exp:env)"
    )
    with pytest.raises(JobError, match="its image is not built") as caught:
        RuntimeChoice("docker", os.environ).choose(BUILT, "src/exp:job")
    assert caught.value.remedy == "Build it: `./pants package src/exp:env`."
    assert caught.value.status == 2


@needs_engine
def test_chooses_the_image_that_the_job_file_names(base_image: str) -> None:  # noqa: F811
    need = NeededImage(reference=base_image)
    runtime = RuntimeChoice("auto", os.environ).choose(need, "src/exp:job")
    assert runtime.image is not None
    assert runtime.image.id == image_id(base_image)
    assert str(runtime) == f"Runtime: docker, {base_image}"


@needs_engine
def test_reports_an_image_that_cannot_be_pulled(capfd: pytest.CaptureFixture[str]) -> None:
    need = NeededImage(reference="localhost:1/no/such:image")
    runtime = RuntimeChoice("auto", os.environ).choose(need, "src/exp:job")
    assert "docker pull localhost:1/no/such:image" in str(runtime)
    with pytest.raises(OutsideError, match="environment.image: the image .* could not be pulled"):
        RuntimeChoice("docker", os.environ).choose(need, "src/exp:job")
    # Docker prints the reason.
    assert "localhost:1" in capfd.readouterr().err


@needs_engine
def test_an_environment_that_only_azure_ml_has_runs_without_docker() -> None:
    need = NeededImage(why_none="only Azure ML has the environment azureml:e:1")
    runtime = RuntimeChoice("auto", os.environ).choose(need, "src/exp:job")
    assert str(runtime) == "Runtime: venv (only Azure ML has the environment azureml:e:1)"
    with pytest.raises(JobError, match="in Docker, but only Azure ML has"):
        RuntimeChoice("docker", os.environ).choose(need, "src/exp:job")


@pytest.mark.parametrize(
    "environment, expected",
    [
        ("azureml:e:1", NeededImage(why_none="only Azure ML has the environment azureml:e:1")),
        ("{image: 'python:3.11'}", NeededImage(reference="python:3.11")),
        ("{build: {path: docker}}", None),
    ],
)
def test_the_image_of_a_job_is_that_of_its_environment(
    gathered: Gathered, environment: str, expected: NeededImage | None
) -> None:
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    bundle = gathered.plan(JOB.replace("azureml:env:1", environment)).bundle
    built = NeededImage(f"env-{(bundle.unit.environment_digest or '')[:12]}")
    assert needed_image_of(bundle, bundle.unit) == (expected or built)
