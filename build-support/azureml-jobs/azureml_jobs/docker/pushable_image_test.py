"""Which image `--image` pushes, and what it reports when there is none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from azureml_jobs.base.digest import environment_tag
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.workspace_config import AzureWorkspace
from azureml_jobs.cli import dry_run
from azureml_jobs.cli import main as cli
from azureml_jobs.conftest import CONTEXT_JOB, JOB, Gathered
from azureml_jobs.docker.conftest import docker, make_small_image, needs_engine
from azureml_jobs.docker.pushable_image import pushable_images

CONFIGURED = {
    "SUBSCRIPTION_ID": "00000000-0000-4000-8000-000000001234",
    "RESOURCE_GROUP": "my-group",
    "WORKSPACE": "my-workspace",
}


@pytest.fixture
def tag(gathered: Gathered, tmp_path: Path) -> Iterator[str]:
    """Return the tag of the job's environment, which is unique, and remove its images."""
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile", f"FROM {tmp_path}\n")
    gathered.image_target = "src/exp:env"
    found = environment_tag(gathered.plan(CONTEXT_JOB).bundle.unit.environment_digest or "")
    yield found
    for name in docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines():
        if name.endswith(f":{found}"):
            docker("image", "rm", name)


@needs_engine
def test_finds_the_image_by_the_content_of_the_environment(gathered: Gathered, tag: str) -> None:
    make_small_image(f"registry.example:5000/team/exp:{tag}")
    (image,) = pushable_images(gathered.plan(CONTEXT_JOB), os.environ).values()
    assert image.id == docker("image", "inspect", "--format", "{{.Id}}", image.reference)
    assert image.reference == f"registry.example:5000/team/exp:{tag}"
    # Its name in the workspace's registry is without that of another registry.
    assert (image.name, image.repository, image.tag) == (f"team/exp:{tag}", "team/exp", tag)
    assert image.size > 100_000


@needs_engine
def test_a_missing_image_is_reported_with_the_command_to_build_it(
    gathered: Gathered, tag: str
) -> None:
    with pytest.raises(JobError, match="src/exp:job: its image is not built") as caught:
        pushable_images(gathered.plan(CONTEXT_JOB), os.environ)
    assert caught.value.status == 2
    assert caught.value.remedy == "Build it: `./pants package src/exp:env`."


@needs_engine
def test_rejects_an_image_for_another_processor(gathered: Gathered, tag: str) -> None:
    make_small_image(f"exp:{tag}", architecture="arm64")
    with pytest.raises(
        JobError, match="is for linux/arm64, and Azure ML runs linux/amd64"
    ) as caught:
        pushable_images(gathered.plan(CONTEXT_JOB), os.environ)
    assert caught.value.status == 2
    command = "DOCKER_DEFAULT_PLATFORM=linux/amd64 ./pants package src/exp:env"
    assert command in caught.value.remedy


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ("azureml:env:1", "only Azure ML has the environment azureml:env:1"),
        ("{image: 'python:3.11'}", "it is python:3.11, which a registry has already"),
        ("{build: {path: docker}}", "and there is none"),
    ],
    ids=["a name", "an image", "a folder without a target"],
)
def test_rejects_an_environment_that_no_target_builds_from_a_dockerfile(
    gathered: Gathered, tmp_path: Path, environment: str, why: str
) -> None:
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    job = JOB.replace("azureml:env:1", environment)
    with pytest.raises(JobError, match="job.yaml: environment: `--image` pushes ") as caught:
        pushable_images(gathered.plan(job), os.environ)
    assert caught.value.status == 2 and why in caught.value.what
    is_folder = "build" in environment
    remedy = "as `experiment()` does" if is_folder else "`environment: {build: {path: docker}}`"
    assert remedy in caught.value.remedy
    if is_folder:
        gathered.image_target = "src/exp:env"
        with pytest.raises(OutsideError, match="--image: .*, but Docker is not") as outside:
            pushable_images(gathered.plan(job), {"PATH": str(tmp_path)})
        assert "leave `--image` out" in outside.value.remedy


@pytest.mark.parametrize("local", [True, False], ids=["--local", "no workspace"])
def test_rejects_the_option_for_a_job_on_this_machine(
    gathered: Gathered,
    local: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value if local else "")
    gathered.add_code()
    monkeypatch.chdir(gathered.repository)
    request = gathered.request(JOB)
    options = ["--local"] if local else []
    assert cli.main(["job", "--request", str(request), "--image", *options]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: --image: it pushes an image to the workspace in Azure, and this ")
    assert ("config.env names no workspace" in err) is not local
    assert "`--runtime docker` runs the job in its image here" in err


@needs_engine
def test_a_dry_run_reports_what_would_be_pushed(
    gathered: Gathered,
    tag: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_small_image(f"exp:{tag}")
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(gathered.repository)
    request = gathered.request(CONTEXT_JOB)
    asked = ["job", "--request", str(request), "--image", "--dry-run"]
    assert cli.main(asked) == 0
    out = capsys.readouterr().out
    assert f"\nImage exp:{tag}: " in out
    assert f"would be pushed to the workspace's registry as exp:{tag}" in out
    # The build context is not sent.
    assert "Dockerfile" not in out.partition("\nJob ")[0]
    assert cli.main([*asked, "--json"]) == 0
    image = json.loads(capsys.readouterr().out)["image"]
    assert (image["name"], image["id"][:7]) == (f"exp:{tag}", "sha256:")
    workspace = AzureWorkspace("1234", "my-group", "my-workspace")
    report = dry_run.as_data(gathered.plan(CONTEXT_JOB), workspace, gathered.repository)
    assert report["image"] is None
