"""Test images of experiments: what is in them, that Docker builds them, and what runs in them."""

from __future__ import annotations

import json

import pytest
from azureml_jobs.docker.conftest import needs_engine
from example import EXPERIMENT, JOB, MAIN
from images import BUILD_ARGUMENTS, NO_ENGINE, containers, image_id
from scratch import Scratch, Terminal, wait_for

IMAGE = f"{EXPERIMENT}:env"
DOCKERFILE = f"{EXPERIMENT}/docker/Dockerfile"


def requirements(scratch: Scratch) -> str:
    scratch.pants("export-codegen", f"{EXPERIMENT}:requirements")
    path = f"dist/codegen/{EXPERIMENT}/docker/requirements.txt"
    return (scratch.root / path).read_text()


def environment_digest(scratch: Scratch) -> str:
    report = scratch.json("run", JOB, "--", "--dry-run", "--json")
    digest: str = report["environment"]["sha256"]
    return digest


@pytest.fixture(scope="module")
def image(scratch: Scratch) -> str:
    """Return the example's image, by the tag of its content."""
    scratch.pants("package", IMAGE, BUILD_ARGUMENTS)
    return f"example_experiment:env-{environment_digest(scratch)[:12]}"


def test_the_context_has_the_requirements_of_the_bundle(scratch: Scratch) -> None:
    scratch.pants("package", JOB)
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
def test_an_image_is_built_once_for_an_environment(scratch: Scratch, image: str) -> None:
    built = image_id(image)
    assert image_id("example_experiment:latest") == built
    main = (scratch.root / MAIN).read_text()
    with scratch.changed({MAIN: f"{main}\n# an edit\n"}):
        scratch.pants("package", IMAGE, BUILD_ARGUMENTS)
    assert (image_id(image), image_id("example_experiment:latest")) == (built, built)


def run_job(scratch: Scratch, runtime: str, *arguments: str) -> tuple[str, dict]:
    """Return what a job prints at its start, and its record at its end."""
    printed = scratch.pants(
        *("run", JOB, "--", "--runtime", runtime, "--set", "inputs.epochs=5", *arguments)
    ).stderr
    name = printed.partition("workspace): ")[2].split()[0]
    return printed, scratch.json("run", ":aml", "--", "jobs", "show", name, "--json")


@needs_engine
def test_a_job_has_the_same_metrics_in_its_image(scratch: Scratch, image: str) -> None:
    _, outside = run_job(scratch, "venv")
    printed, inside = run_job(scratch, "auto")
    assert f"Runtime: docker, {image}\n" in printed
    assert (outside["runtime"], inside["runtime"]) == ("venv", "docker")
    assert inside["container"]["image_id"] == image_id(image)
    assert inside["params"] == {**outside["params"], **inside["params"]}
    assert inside["metrics"].keys() == outside["metrics"].keys()
    # Libraries built for another system sum in another order, which changes the last digits.
    assert inside["metrics"] == pytest.approx(outside["metrics"], rel=1e-9)
    # Metrics, artifacts and outputs are where those of every local job are.
    assert inside["artifacts"] == outside["artifacts"] != []
    model = scratch.root / ".azureml/jobs" / inside["name"] / "outputs/model/model.json"
    assert json.loads(model.read_text())
    wait_for(lambda: not containers(inside["name"]), "the end of the container")


@needs_engine
def test_resources_and_docker_arguments_reach_the_container(scratch: Scratch, image: str) -> None:
    ran = scratch.pants(
        *("--docker-run-args=--env=GIVEN=yes", "run", JOB, "--", "--runtime=docker"),
        *("--set", "resources.shm_size=96m", "--set", "resources.docker_args=--hostname=mine"),
        *(
            "--set",
            "command=df -k /dev/shm; hostname; echo $GIVEN; python -m example_experiment.main",
        ),
        status=None,
    )
    # The job then fails, because its arguments are missing.
    lines = ran.stdout.splitlines()
    assert "98304" in lines[1].split()
    assert lines[2:4] == ["mine", "yes"]
    assert ran.returncode == 2


@needs_engine
def test_reports_an_image_that_is_not_built(scratch: Scratch, image: str) -> None:
    changed = (scratch.root / DOCKERFILE).read_text() + "LABEL changed=yes\n"
    with scratch.changed({DOCKERFILE: changed}):
        ran = scratch.pants("run", JOB, "--", "--runtime=docker", status=2)
        assert f"error: {JOB}: its image is not built" in ran.stderr
        assert f"`./pants package {IMAGE}`" in ran.stderr
        local = scratch.pants(
            *("--azureml-runtime=auto", "run", f"{EXPERIMENT}:local", "--", "--epochs=1")
        )
        hint = f"Runtime: venv (the image does not exist yet: ./pants package {IMAGE})"
        assert hint in local.stderr


def test_reports_an_engine_that_does_not_answer(scratch: Scratch) -> None:
    command = ("run", JOB, "--", "--set", "inputs.epochs=1", "--runtime")
    ran = scratch.pants(*command, "docker", status=1, more=NO_ENGINE)
    assert f"error: {JOB}: it must run in Docker, but " in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Runtime: venv (" in scratch.pants(*command, "auto", more=NO_ENGINE).stderr
    built = scratch.pants("package", IMAGE, status=1, more=NO_ENGINE)
    assert "no engine answers" in built.stderr or "Cannot find `docker`" in built.stderr


@needs_engine
def test_reports_a_base_image_that_cannot_be_pulled(scratch: Scratch) -> None:
    base = "localhost:1/no/such:image"
    ran = scratch.pants("package", IMAGE, f"--docker-build-args=BASE_IMAGE={base}", status=1)
    assert f"{DOCKERFILE}: FROM: the image {base} could not be pulled: " in ran.stderr


@needs_engine
def test_a_shell_starts_where_the_local_script_does(scratch: Scratch, image: str) -> None:
    (scratch.root / "data/seen.csv").write_text("1\n")
    shell = Terminal(scratch, "--azureml-runtime=docker", "run", f"{EXPERIMENT}:terminal")
    shell.read_until(f"Runtime: docker, {image}")
    shell.type("stty size; ls ../data; pwd; python -c 'import numpy; print(numpy.__file__)'\r")
    shell.read_until("/exe/wd")
    shell.read_until("/opt/venv/lib/python3.11/site-packages/numpy/__init__.py")
    assert "seen.csv" in shell.seen
    # Pants runs other commands meanwhile.
    assert IMAGE in scratch.pants("list", f"{EXPERIMENT}:").stdout
    shell.type("python -m example_experiment.local --epochs 1\r")
    shell.read_until("accuracy ")
    shell.type("sleep 100\r")
    shell.type("\x03")
    shell.type("exit 7\r")
    assert shell.status() == 7
    (scratch.root / "data/seen.csv").unlink()
    wait_for(lambda: not containers("example_experiment-"), "the end of the container")


@needs_engine
def test_ctrl_c_ends_a_local_script_and_its_container(scratch: Scratch, image: str) -> None:
    waiting = 'import time\nprint("begun", flush=True)\ntime.sleep(100)\n'
    with scratch.changed({f"{EXPERIMENT}/local.py": waiting}):
        script = ("--azureml-runtime=docker", "run", f"{EXPERIMENT}:local")
        running = Terminal(scratch, *script)
        running.read_until("begun")
        running.type("\x03")
        assert running.status() == 130
    wait_for(lambda: not containers("example_experiment-"), "the end of the container")
    assert list((scratch.root / ".azureml/local").iterdir()) == []


@needs_engine
def test_an_experiment_s_tests_run_in_its_image_once(scratch: Scratch, image: str) -> None:
    tests = ("run", f"{EXPERIMENT}:test")
    # The first run may come from an earlier run of this test; both print the same.
    first = scratch.pants(*tests, "--", "--color=no")
    assert "configfile: pyproject.toml" in first.stdout
    assert "passed" in first.stdout
    assert "The tests passed.\n" in first.stderr
    again = scratch.pants(*tests, "--", "--color=no")
    assert again.stdout == first.stdout
    assert "The tests passed before, and nothing has changed since." in again.stderr
    failing = f"{EXPERIMENT}/tests/test_failing.py"
    with scratch.changed({failing: "def test_it() -> None:\n    assert False\n"}):
        failed = scratch.pants(*tests, "--", "--color=no", status=1)
        assert "1 failed" in failed.stdout
        assert "The tests did not pass." in failed.stderr
