from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.paths import local_path

JOB_FILE = "src/exp/job.yaml"


@cases(
    "written, path",
    {
        "the job file's own folder": (".", "src/exp"),
        "the same with a slash": ("./", "src/exp"),
        "the repository's root": ("../..", ""),
        "another folder": ("../other/", "src/other"),
        "a name that is not ASCII": ("größe", "src/exp/größe"),
        "a name that begins with dots": ("..data", "src/exp/..data"),
        "the same in the root": ("../../..data", "..data"),
    },
)
def test_a_path_is_relative_to_the_job_file(written: str, path: str) -> None:
    assert local_path(JOB_FILE, ("code",), written) == path


@cases(
    "written, message, remedy",
    {
        "outside": ("../../../src", "leads out of the repository", "such as `..`"),
        "absolute": ("/home/me", "is a path of one machine", "such as `../data`"),
        "backslashes": (r"..\src", "has backslashes", "`../src`"),
    },
)
def test_refuses_what_is_no_path_in_the_repository(written: str, message: str, remedy: str) -> None:
    with pytest.raises(JobError) as caught:
        local_path(JOB_FILE, ("code",), written)
    assert str(caught.value).startswith(f"src/exp/job.yaml: code: {written!r} {message}")
    assert remedy in caught.value.remedy
