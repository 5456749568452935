from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.command.entry_point import EntryPoint
from azureml_jobs.jobfile.needs import needs_of, read_job_needs

JOB_FILE = "src/exp/job.yaml"


def test_reads_the_command_the_code_folder_and_the_environment() -> None:
    needs = read_job_needs(
        "code: ..\n"
        "command: python -m exp.main --config conf.yaml\n"
        "environment:\n  build:\n    path: docker/\n",
        JOB_FILE,
    )
    assert needs.code_folder == "src"
    assert needs.entry_points == (EntryPoint("module", "exp.main"), EntryPoint("file", "conf.yaml"))
    assert (needs.build_context, needs.conda_file) == ("src/exp/docker", None)
    assert needs.environment_globs() == (
        *("src/exp/docker/**", "!src/exp/docker/**/BUILD", "!src/exp/docker/**/BUILD.*"),
    )


@pytest.mark.parametrize(
    ("environment", "globs"),
    [
        pytest.param("azureml:env:1", (), id="a registered environment"),
        pytest.param({"image": "python:3.11"}, (), id="an image"),
        pytest.param(
            {"image": "python:3.11", "conda_file": "../conda.yaml"},
            ("src/conda.yaml",),
            id="a conda file",
        ),
        pytest.param({"image": "x", "conda_file": {"name": "x"}}, (), id="conda packages inline"),
        pytest.param({"build": {"path": "https://x.org/y.git"}}, (), id="a context elsewhere"),
        pytest.param({"build": None}, (), id="a build without anything"),
        pytest.param(None, (), id="no environment"),
    ],
)
def test_needs_the_files_of_an_environment_that_are_here(
    environment: object, globs: tuple[str, ...]
) -> None:
    job = {"command": "python -m exp.main", "environment": environment}
    assert needs_of(job, JOB_FILE).environment_globs() == globs


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        pytest.param({"build": {"path": "../../.."}}, "environment.build.path", id="above"),
        pytest.param(
            {"build": {"path": "../../../x"}}, "environment.build.path", id="next to the root"
        ),
        pytest.param({"build": {"path": "../.."}}, "environment.build.path", id="the root itself"),
        pytest.param({"build": {"path": "/srv/x"}}, "environment.build.path", id="absolute"),
        pytest.param({"conda_file": "/srv/c.yaml"}, "environment.conda_file", id="conda file"),
    ],
)
def test_refuses_an_environment_that_is_not_below_the_root(environment: object, key: str) -> None:
    with pytest.raises(JobError, match="is not below the repository's root") as caught:
        needs_of({"command": "x", "environment": environment}, JOB_FILE)
    assert caught.value.where == f"src/exp/job.yaml: {key}"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param("command: echo 'x", "src/exp/job.yaml: command", id="an open quote"),
        pytest.param("command: x\ncode: ../../..", "src/exp/job.yaml: code", id="code outside"),
        pytest.param("a: b: c", "src/exp/job.yaml: line 1, column 5", id="no YAML"),
    ],
)
def test_reports_where_a_job_file_is_wrong(text: str, where: str) -> None:
    with pytest.raises(JobError) as caught:
        read_job_needs(text, JOB_FILE)
    assert caught.value.where == where
    assert not caught.value.what.endswith(".")


@pytest.mark.parametrize("command", [None, 5, ["python"]], ids=["none", "a number", "a list"])
def test_leaves_a_command_that_is_not_text_to_the_schema(command: object) -> None:
    assert needs_of({"command": command}, JOB_FILE).entry_points == ()
