from __future__ import annotations

from azureml_jobs.base.errors import JobError, OutsideError


def test_the_message_has_where_what_and_what_to_do() -> None:
    error = JobError("src/x/job.yaml", "missing compute", "Add `compute: <cluster>`.")
    assert str(error) == "src/x/job.yaml: missing compute.\n\nAdd `compute: <cluster>`."
    assert error.status == 2


def test_the_remedy_is_optional() -> None:
    assert str(JobError("job.yaml", "it is empty")) == "job.yaml: it is empty."


def test_an_outside_failure_has_its_own_status() -> None:
    assert OutsideError("docker", "no engine answers").status == 1
