from __future__ import annotations

from azureml_jobs.base.errors import JobError, OutsideError


def test_says_where_what_and_what_to_do() -> None:
    error = JobError("src/x/job.yaml", "missing compute", "Add `compute: <cluster>`.")
    assert str(error) == "src/x/job.yaml: missing compute.\n\nAdd `compute: <cluster>`."
    assert error.status == 2


def test_says_only_where_and_what_without_a_remedy() -> None:
    assert str(JobError("job.yaml", "it is empty")) == "job.yaml: it is empty."


def test_an_outside_failure_has_a_status_of_its_own() -> None:
    assert OutsideError("docker", "no engine answers").status == 1
