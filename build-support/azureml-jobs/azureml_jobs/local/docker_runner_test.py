"""Whole local jobs run in containers of a real engine."""

from __future__ import annotations

import os
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.docker.conftest import base_image  # noqa: F401
from azureml_jobs.docker.conftest import needs_engine
from azureml_jobs.docker.engine import Engine, Image, has_container, image_id
from azureml_jobs.local.conftest import make_wheel
from azureml_jobs.local.create_command import CommandSpec, command_record
from azureml_jobs.local.distribution_test import distributed, meeting
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import ResolvedInput
from azureml_jobs.local.run_plan import UnitRun
from azureml_jobs.local.runtimes import Runtime

pytestmark = needs_engine

SEEN_BY_MLFLOW = """
import os, urllib.request
folder = urllib.request.url2pathname(os.environ["MLFLOW_TRACKING_URI"][len("file://"):])
open(os.path.join(folder, "seen"), "w").close()
"""


class ContainerJobs:
    """Creates jobs that run in containers of the base image."""

    def __init__(self, jobs: Any, image: str) -> None:
        self.jobs = jobs
        self.runtime = Runtime.in_image(
            Image(image, image_id(image) or ""), Engine({}, frozenset())
        )

    def new(
        self, command: str, *arguments: str, distribution: Any = None, **inputs: str
    ) -> JobFolder:
        folder: JobFolder = self.jobs.new(command)
        given = {name: ResolvedInput("path", path) for name, path in inputs.items()}
        job = {"command": command, "outputs": {"model": {}}, "distribution": distribution}
        unit = UnitRun(self.runtime, "", "", "", "")
        spec = CommandSpec(job, "", unit, given, "exp", arguments=arguments)
        folder.save(command_record(spec, folder))
        return folder


@pytest.fixture
def containers(jobs: Any, base_image: str) -> ContainerJobs:  # noqa: F811
    return ContainerJobs(jobs, base_image)


def container_of(folder: JobFolder) -> str:
    return str(getattr(folder.read().container, "name"))


def is_gone(jobs: Any, folder: JobFolder) -> bool:
    """Wait until Docker has removed the container, a moment after its client has ended."""
    return bool(jobs.until(lambda: not has_container(container_of(folder))))


def test_a_job_finds_code_and_data_where_azure_ml_has_them(
    jobs: Any, containers: ContainerJobs, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("1,2\n")
    folder = containers.new(
        'pwd; cat "$AZURE_ML_INPUT_table"; echo m > "$AZURE_ML_OUTPUT_model/m"; echo o > outputs/o;'
        f" python3 -c {shlex.quote(SEEN_BY_MLFLOW)}; touch ~/mine; env; exit 3",
        table=str(tmp_path / "a.csv"),
    )
    status, out, _ = jobs.run(folder)
    record = folder.read()
    assert (status, record.status, record.exit_code) == (3, "Failed", 3)
    assert out.decode().splitlines()[:2] == [f"/mnt/azureml/cr/j/{folder.name}/exe/wd", "1,2"]
    assert b"A_SECRET" not in out
    assert f"AZUREML_RUN_ID={folder.name}" in out.decode().splitlines()
    assert (folder.outputs / "model/m").read_text() == "m\n"
    assert (folder.work / "outputs/o").read_text() == "o\n"
    assert folder.log.read_bytes() in out
    assert (jobs.workspace.mlruns / "seen").exists()
    assert (jobs.workspace.root / "home/mine").exists()
    assert is_gone(jobs, folder)


def test_ctrl_c_reaches_the_command_which_cleans_up(jobs: Any, containers: ContainerJobs) -> None:
    folder = containers.new(
        "trap 'echo cleaned; exit 5' INT; echo ready; while true; do sleep 0.1; done"
    )
    process = jobs.start(folder)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out.splitlines()[0]) == (130, b"cleaned")
    assert folder.read().status == "Canceled"
    assert is_gone(jobs, folder)


def test_kills_a_command_that_does_not_end_with_its_container(
    jobs: Any, containers: ContainerJobs
) -> None:
    folder = containers.new("trap '' INT TERM; echo ready; while true; do sleep 1; done")
    process = jobs.start(folder, grace=0.5)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert is_gone(jobs, folder)


def test_a_runner_that_is_killed_takes_its_containers_along(
    jobs: Any, containers: ContainerJobs
) -> None:
    from azureml_jobs.local.cancel import cancel

    two = distributed(type="pytorch", process_count_per_instance=2)
    folder = containers.new("echo ready; sleep 300", distribution=two)
    process = jobs.start(folder)
    for _ in range(2):
        assert process.stdout.readline().endswith(b"] ready\n")
    names = [f"{container_of(folder)}-{rank}" for rank in range(2)]
    assert all(map(has_container, names))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert jobs.until(lambda: not any(map(has_container, names)))
    assert cancel(folder).status == "Canceled"
    with pytest.raises(JobError, match="has ended already"):
        cancel(folder)


def test_reports_that_docker_could_not_start_the_container(
    jobs: Any, containers: ContainerJobs
) -> None:
    folder = containers.new("echo never", "--runtime=no-such-runtime")
    status, _, err = jobs.run(folder)
    assert status == 1
    assert b"its container could not be started: " in err
    assert b"no-such-runtime" in err
    assert folder.read().status == "Failed"
    assert is_gone(jobs, folder)


def test_a_job_may_end_with_docker_s_own_status(jobs: Any, containers: ContainerJobs) -> None:
    folder = containers.new("exit 125")
    status, _, _ = jobs.run(folder)
    assert (status, folder.read().exit_code) == (125, 125)


def test_processes_of_a_distributed_job_meet_in_containers(
    jobs: Any, containers: ContainerJobs
) -> None:
    two = distributed(type="pytorch", process_count_per_instance=2)
    folder = containers.new(meeting("python3"), distribution=two)
    status, out, err = jobs.run(folder)
    assert status == 0, err
    assert jobs.until(lambda: not has_container(f"{container_of(folder)}-1"))
    printed = [line for line in out.splitlines() if line.startswith(b"[")]
    assert sorted(printed) == [b"[0] node 0 sum 1", b"[1] node 0 sum 1"]
    assert b"[1] to err\n" in err


def test_pip_installs_for_the_run_only(
    jobs: Any, containers: ContainerJobs, tmp_path: Path
) -> None:
    make_wheel(tmp_path, "extra", "1")
    folder = containers.new(
        'pip install --user --break-system-packages --no-index --find-links="$AZURE_ML_INPUT_w" '
        "extra && python3 -c 'import extra; print(extra.VERSION)'",
        w=str(tmp_path),
    )
    status, out, err = jobs.run(folder)
    assert status == 0, err
    assert b"1" in out.splitlines()
    assert not (jobs.workspace.root / "home/.local").exists()
