"""Jobs as they are listed and described, and the record of what they ran."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.jobs import JobSelection
from azureml_jobs.conftest import Gathered
from azureml_jobs.local.conftest import Jobs, below, create
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.local_jobs import LocalJobs
from azureml_jobs.local.record import JobRecord
from azureml_jobs.protocol import PackagesVenv


def test_lists_the_newest_first_and_skips_other_files(jobs: Jobs) -> None:
    names = [jobs.new("true").name for _ in range(3)]
    broken = {"empty": None, "text": "{", "foreign": "{}", "later": '{"format": 99, "name": "x"}'}
    for name, content in broken.items():
        (jobs.workspace.jobs_folder / name).mkdir()
        if content is not None:
            (jobs.workspace.jobs_folder / name / "job.json").write_text(content)
    (jobs.workspace.jobs_folder / "file").touch()
    assert [each.name for each in jobs.workspace.jobs()] == names[::-1]


def test_describes_a_job_as_json(ended: JobFolder) -> None:
    jobs = LocalJobs(ended.root)
    (row,) = jobs.list(JobSelection())
    assert (row["status"], row["exit_code"]) == ("Completed", 0) and row["duration"] > 0
    text = json.dumps(jobs.describe(ended.name), allow_nan=False)
    described = json.loads(text)
    assert described["metrics"] == {"loss": "NaN"}
    (curves,) = jobs.curves([ended.name], ["loss"]).values()
    assert [point["step"] for point in curves["loss"]] == [0, 1]
    assert described["params"] == {"depth": "3"}
    assert (described["tags"]["team"], described["tags"]["mine"]) == ("a", "v")
    assert described["environment_variables"] == ["TOKEN"]
    assert "secret value" not in text
    assert described["artifacts"] == [
        "figure.png",
        "logs/l.txt",
        "outputs/sub/o.txt",
        "tree/MLmodel",
        "user_logs/std_log.txt",
    ]
    assert described["log"] == str(ended.log)


def test_a_step_has_the_record_of_its_root(
    gathered: Gathered, venv: PackagesVenv, tmp_path: Path
) -> None:
    gathered.add_code()
    root = create(gathered)
    jobs = LocalJobs(root.root)
    step = JobRecord(f"{root.name}_train", parent=root.name, root=root.name)
    (root.path.parent / step.name).mkdir()
    step.write(root.path.parent / step.name / "job.json")
    jobs.record(step.name, tmp_path / "got", with_code=True)
    copied = {name for name in below(root.bundle) if name != "azure-ml-job.yaml"}
    assert set(below(tmp_path / "got")) == copied
    assert "code/exp/main.py" in copied
    jobs.record(root.name, tmp_path / "without", with_code=False)
    assert not (tmp_path / "without/code").exists()


def test_a_job_without_a_bundle_has_no_record(jobs: Jobs, tmp_path: Path) -> None:
    name = jobs.new("true").name
    with pytest.raises(JobError, match=f"{name}: the job has no record of what it ran"):
        LocalJobs(jobs.workspace.root).record(name, tmp_path / "got", with_code=False)
    assert not (tmp_path / "got").exists()
