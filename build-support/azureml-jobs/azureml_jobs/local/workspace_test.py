"""Jobs are created and found in the local workspace."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.workspace import LocalWorkspace

_MANY = """
import pathlib, sys
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.workspace import LocalWorkspace

def write(temporary, final):
    (temporary.path / "mine").write_text(final.name)
    return JobRecord(final.name)

for _ in range(25):
    print(LocalWorkspace(pathlib.Path(sys.argv[1])).new_job("x", write).name)
"""


def write_record(temporary: JobFolder, final: JobFolder) -> JobRecord:
    return JobRecord("any")


def test_numbers_jobs_of_one_stem(tmp_path: Path) -> None:
    workspace = LocalWorkspace(tmp_path / ".azureml")
    assert [workspace.new_job("a-1", write_record).name for _ in range(2)] == ["a-1-1", "a-1-2"]
    assert workspace.new_job("b", write_record).read().name == "b-1"


def test_gives_no_name_whose_steps_are_left(tmp_path: Path) -> None:
    workspace = LocalWorkspace(tmp_path)
    workspace.new_job("", write_record, "exp-1_train")
    assert workspace.new_job("exp", write_record).name == "exp-2"


def test_gives_a_name_to_one_job_only(tmp_path: Path) -> None:
    workspace = LocalWorkspace(tmp_path / ".azureml")
    assert workspace.new_job("a", write_record, "mine").name == "mine"
    with pytest.raises(JobError, match="mine: the local workspace has a job of this name already"):
        workspace.new_job("a", write_record, "mine")
    with pytest.raises(JobError, match="this is not a valid name of a job"):
        workspace.new_job("a", write_record, "../mine")
    assert os.listdir(workspace.jobs_folder) == ["mine"]


def test_processes_that_create_jobs_at_once_never_share_a_name(jobs: Any) -> None:
    processes = [jobs.python(_MANY, jobs.workspace.root) for _ in range(3)]
    names = [name for each in processes for name in each.communicate()[0].decode().split()]
    assert [each.returncode for each in processes] == [0, 0, 0]
    assert sorted(names) == sorted(f"x-{n}" for n in range(1, 76))
    assert sorted(os.listdir(jobs.workspace.jobs_folder)) == sorted(names)
    for name in names:
        assert (jobs.workspace.jobs_folder / name / "mine").read_text() == name


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (JobError("a", "b"), "a: b"),
        (KeyboardInterrupt(), ""),
        (OSError(errno.ENOSPC, "No space left"), "could not be written: No space left"),
    ],
    ids=["error", "^C", "disk full"],
)
def test_a_failure_while_creating_a_job_leaves_nothing(
    tmp_path: Path, error: BaseException, message: str
) -> None:
    workspace = LocalWorkspace(tmp_path / ".azureml")

    def write(temporary: JobFolder, final: JobFolder) -> JobRecord:
        temporary.bundle.mkdir()
        raise error

    with pytest.raises((JobError, KeyboardInterrupt), match=message):
        workspace.new_job("a", write)
    assert list(workspace.jobs_folder.iterdir()) == []


def test_removes_what_was_abandoned_long_ago(tmp_path: Path) -> None:
    workspace = LocalWorkspace(tmp_path)
    for name, hours in (("a-1", 30), ("b-1", 1)):
        temporary = workspace.jobs_folder / f".new-{name}"
        temporary.mkdir(parents=True)
        changed = time.time() - hours * 3600
        os.utime(temporary, (changed, changed))
    assert workspace.new_job("a", write_record).name == "a-1"
    assert workspace.new_job("b", write_record).name == "b-2"


@pytest.mark.parametrize(
    "stem, name",
    [
        *(("ok_1-2", "ok_1-2-1"), ("src/x y:job", "src-x-y-job-1"), ("_é_a", "a-1")),
        *(("..", "job-1"), ("x" * 400, "x" * 238 + "-1")),
    ],
    ids=["fine", "address", "non-ASCII", "nothing left", "too long"],
)
def test_names_obey_azure_ml_s_rule(tmp_path: Path, stem: str, name: str) -> None:
    assert LocalWorkspace(tmp_path).new_job(stem, write_record).name == name


def test_names_the_closest_jobs(tmp_path: Path) -> None:
    workspace = LocalWorkspace(tmp_path)
    workspace.new_job("train", write_record)
    workspace.new_job("predict", write_record)
    assert workspace.job("train-1").name == "train-1"
    with pytest.raises(JobError) as caught:
        workspace.job("trian-1")
    assert str(caught.value).startswith(
        "trian-1: the local workspace has no such job.\n\nJobs with the closest names:\n  train-1"
    )


@pytest.mark.parametrize("name", ["..", "../jobs/train-1", "", ".new-train-1", "/"])
def test_rejects_a_path_as_a_name(tmp_path: Path, name: str) -> None:
    workspace = LocalWorkspace(tmp_path)
    with pytest.raises(JobError, match="It has no jobs yet"):
        workspace.job(name)


def test_reports_an_unreadable_record(tmp_path: Path) -> None:
    workspace = LocalWorkspace(tmp_path)
    folder = workspace.new_job("a", write_record)
    folder.record_file.write_text("[]")
    with pytest.raises(JobError, match="a-1: the job's record cannot be read"):
        workspace.job("a-1")
    assert workspace.jobs() == []


def test_records_survive_text_of_all_kinds(tmp_path: Path) -> None:
    record = JobRecord("a", command='echo "é\n\udcff" 漢', tags={"ü": "…"}, timings={"x": 0.5})
    record.write(tmp_path / "job.json")
    assert JobRecord.read(tmp_path / "job.json") == record
    assert [each.name for each in tmp_path.iterdir()] == ["job.json"]


def test_the_end_of_a_job_is_recorded_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = LocalWorkspace(tmp_path / ".azureml").new_job("a", write_record)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("azureml_jobs.local.record.write_file", fail)
    for error in ("the disk is full, and more", "short"):
        record = folder.read()
        record.status, record.error = "Failed", error
        folder.save(record)
        assert folder.read() == record
