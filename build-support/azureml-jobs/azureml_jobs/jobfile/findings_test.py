from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.findings import Finding, raise_findings


def test_a_single_finding_names_its_key_first() -> None:
    with pytest.raises(JobError) as caught:
        raise_findings("job.yaml", [Finding("limits.timeout", "expects an integer", "Write 5.")])
    assert str(caught.value) == "job.yaml: limits.timeout: expects an integer.\n\nWrite 5."


def test_several_findings_get_a_line_each() -> None:
    with pytest.raises(JobError) as caught:
        raise_findings("job.yaml", [Finding("a", "is bad", "Do b."), Finding("", "is empty")])
    assert str(caught.value) == (
        "job.yaml: 2 errors in this job file.\n\n- a: is bad. Do b.\n- the file: is empty."
    )
