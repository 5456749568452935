"""Images of experiments: what goes into them, and that Docker builds them."""

from __future__ import annotations

import os
import subprocess

import pytest
from scratch import Scratch

IMAGE = "src/example_experiment:env"
BASE_IMAGE = os.environ.get("TEST_BASE_IMAGE", "python:3.11-slim-bookworm")
MAIN = "src/example_experiment/main.py"


def has_engine() -> bool:
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


needs_engine = pytest.mark.skipif(not has_engine(), reason="no Docker engine answers")


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def requirements(scratch: Scratch) -> str:
    scratch.pants("export-codegen", "src/example_experiment:requirements")
    path = "dist/codegen/src/example_experiment/docker/requirements.txt"
    return (scratch.root / path).read_text()


def environment_digest(scratch: Scratch) -> str:
    report = scratch.json("run", "src/example_experiment:job", "--", "--dry-run", "--json")
    return report["environment"]["sha256"]


def test_the_context_has_the_requirements_of_the_bundle(scratch: Scratch) -> None:
    scratch.pants("package", "src/example_experiment:job")
    bundled = scratch.root / "dist/src.example_experiment/job/environment/requirements.txt"
    assert requirements(scratch) == bundled.read_text()


def test_only_another_package_changes_the_environment(scratch: Scratch) -> None:
    main = (scratch.root / MAIN).read_text()
    before = requirements(scratch), environment_digest(scratch)
    with scratch.changed({MAIN: f"{main}\n# an edit\n"}):
        assert (requirements(scratch), environment_digest(scratch)) == before
    with scratch.changed({MAIN: f"{main}\nimport pytest  # noqa\n"}):
        assert "\npytest==" in requirements(scratch)
        assert environment_digest(scratch) != before[1]


@needs_engine
def test_docker_builds_the_image_once_and_it_runs_the_job_s_code(scratch: Scratch) -> None:
    build = ("package", IMAGE, f"--docker-build-args=BASE_IMAGE={BASE_IMAGE}")
    scratch.pants(*build)
    tag = f"example_experiment:env-{environment_digest(scratch)[:12]}"
    image = docker("image", "inspect", "--format", "{{.Id}}", "example_experiment:latest")
    assert docker("image", "inspect", "--format", "{{.Id}}", tag) == image

    main = (scratch.root / MAIN).read_text()
    with scratch.changed({MAIN: f"{main}\n# an edit\n"}):
        scratch.pants(*build)
    assert docker("image", "inspect", "--format", "{{.Id}}", tag) == image

    scratch.pants("package", "src/example_experiment:job")
    bundle = scratch.root / "dist/src.example_experiment/job"
    printed = docker(
        *("run", "--rm", "--volume", f"{bundle}:/bundle:ro", "--workdir", "/bundle/code"),
        *("--env", "MLFLOW_ALLOW_FILE_STORE=true", "--env", "MLFLOW_TRACKING_URI=file:///tmp/x"),
        *("--env", "PYTHONDONTWRITEBYTECODE=1", tag),
        *("python", "-m", "example_experiment.main", "--epochs", "2", "--learning-rate", "0.5"),
        *("--training-data", "/bundle/data/training_data/wine.csv", "--model-output", "/tmp/m"),
    )
    assert "accuracy" in printed
