"""The record of a local job is what its bundle says."""

from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.conftest import Gathered
from azureml_jobs.local.conftest import Jobs, below, create
from azureml_jobs.local.local_jobs import LocalJobs
from azureml_jobs.local.record import JobRecord
from azureml_jobs.protocol import PackagesVenv


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
