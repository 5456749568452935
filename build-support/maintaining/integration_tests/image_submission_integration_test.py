"""Test submitting a job with the image of this machine: build it, push it once, run it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
from azureml_jobs.docker.conftest import docker, make_small_image, needs_engine
from documents import commands_run_by
from example import EXPERIMENT, JOB
from scratch import Scratch

BASE = "test-small-base:1"
COMMAND = (
    'command=echo "in $(</content)"; ls() { echo *; }; ls; echo made > ${{outputs.model}}/made'
)
SUBMISSIONS = f"""
set -e
SUBMIT --name in-image --stream --set '{COMMAND}'
SUBMIT --name once-more --set '{COMMAND}'
./pants run :aml -- jobs download in-image --path fetched
./pants run :aml -- doctor
"""
# Names a workspace, for errors that occur before it is contacted.
CONFIGURED = {
    "SUBSCRIPTION_ID": "00000000-0000-4000-8000-000000001234",
    "RESOURCE_GROUP": "my-group",
    "WORKSPACE": "my-workspace",
}


@pytest.fixture
def small(scratch: Scratch) -> Iterator[Scratch]:
    """Make the example's image small, so that a push takes seconds."""
    make_small_image(BASE, "the image")
    dockerfile = f"{EXPERIMENT}/docker/Dockerfile"
    with scratch.changed({dockerfile: f"ARG BASE_IMAGE={BASE}\nFROM ${{BASE_IMAGE}}\n"}):
        yield scratch
    shutil.rmtree(scratch.root / ".azureml/service", ignore_errors=True)
    shutil.rmtree(scratch.root / "fetched", ignore_errors=True)
    # The build and the push gave it other names, too.
    docker("image", "rm", "--force", docker("image", "ls", "--quiet", BASE))


@needs_engine
def test_a_job_runs_in_the_image_that_was_built_here(small: Scratch) -> None:
    package, submit = commands_run_by("test_a_job_runs_in_the_image_that_was_built_here")
    ran = small.pants(*submit.split()[1:], "--dry-run", status=2, more=CONFIGURED)
    assert f"error: {JOB}: its image is not built" in ran.stderr
    assert f"`{package}`" in ran.stderr
    small.pants(*package.split()[1:])
    planned = small.pants(*submit.split()[1:], "--dry-run", more=CONFIGURED).stdout
    assert "would be pushed to the workspace's registry as example_experiment:env-" in planned

    script = SUBMISSIONS.replace("SUBMIT", submit)
    done = small.pants("run", ":aml", "--", "service", "--", "bash", "-c", script)
    first, second = done.stdout.split("once-more submitted to standin-workspace")
    assert "in-image submitted to standin-workspace" in first
    assert "image                pushed to 127.0.0.1:" in first
    assert "/example_experiment:env-" in first
    assert "in the image\n" in first and "common example_experiment" in first
    assert "image                unchanged, nothing sent" in second
    assert "ok      registry       127.0.0.1:" in second
    (made,) = (small.root / "fetched").rglob("made")
    assert made.read_text() == "made\n"
    # It ran in a container, with the image that has this digest in the registry.
    job = json.loads((small.root / ".azureml/service/jobs/in-image/job.json").read_text())
    assert job["runtime"] == "docker" and "/example_experiment@sha256:" in job["container"]["image"]
