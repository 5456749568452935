from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.paths import local_path

JOB_FILE = "src/exp/job.yaml"


@pytest.mark.parametrize(
    ("written", "path"),
    [
        pytest.param(".", "src/exp", id="the job file's own folder"),
        pytest.param("./", "src/exp", id="the same with a slash"),
        pytest.param("../..", "", id="the repository's root"),
        pytest.param("../other/", "src/other", id="another folder"),
        pytest.param("größe", "src/exp/größe", id="a name that is not ASCII"),
        pytest.param("..data", "src/exp/..data", id="a name that begins with dots"),
        pytest.param("../../..data", "..data", id="the same in the root"),
    ],
)
def test_a_path_is_relative_to_the_job_file(written: str, path: str) -> None:
    assert local_path(JOB_FILE, ("code",), written) == path


@pytest.mark.parametrize(
    ("written", "message", "remedy"),
    [
        pytest.param("../../../src", "leads out of the repository", "such as `..`", id="outside"),
        pytest.param("/home/me", "is a path of one machine", "such as `../data`", id="absolute"),
        pytest.param(r"..\src", "has backslashes", "`../src`", id="backslashes"),
    ],
)
def test_refuses_what_is_no_path_in_the_repository(written: str, message: str, remedy: str) -> None:
    with pytest.raises(JobError) as caught:
        local_path(JOB_FILE, ("code",), written)
    assert str(caught.value).startswith(f"src/exp/job.yaml: code: {written!r} {message}")
    assert remedy in caught.value.remedy
