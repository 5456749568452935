from __future__ import annotations

import pytest
from azureml_jobs.protocol import JobToLint
from azureml_pants.job.lint import (
    JobsToLint,
    JobsToLintRequest,
    LintJobFieldSet,
)
from pants.engine.addresses import Address
from pants.engine.fs import Snapshot
from pants.testutil.rule_runner import RuleRunner

EXPERIMENT = {
    "src/x/BUILD": "python_sources(name='lib')\nazureml_job(name='job')\n",
    "src/x/azure-ml-job.yaml": "code: ..\ncommand: python -m x.main && python x/score.py\n",
    "src/x/main.py": "import x.model\n",
    "src/x/model.py": "",
    "src/x/score.py": "",
}


def gather(rule_runner: RuleRunner, files: dict[str, str]) -> tuple[JobToLint, tuple[str, ...]]:
    """Return what the job tool gets for `src/x:job`, and the files next to it."""
    rule_runner.write_files(files)
    field_set = LintJobFieldSet.create(rule_runner.get_target(Address("src/x", target_name="job")))
    found = rule_runner.request(JobsToLint, [JobsToLintRequest((field_set,))])
    (job,) = found.request.jobs
    return job, rule_runner.request(Snapshot, [found.digest]).files


def test_gives_the_linter_the_job_file_and_what_its_command_runs(rule_runner: RuleRunner) -> None:
    job, files = gather(rule_runner, EXPERIMENT)
    assert job == JobToLint("src/x/azure-ml-job.yaml", (), ("src/x/main.py", "src/x/score.py"))
    # Without `x/model.py`: an edit of a module that is only imported does not lint again.
    assert files == ("src/x/azure-ml-job.yaml", "src/x/main.py", "src/x/score.py")


@pytest.mark.parametrize(
    ("job_file", "starts"),
    [
        pytest.param(
            "command: python x/mian.py && python y.py",
            [
                "src/x/azure-ml-job.yaml: command: it runs x/mian.py, which does not exist",
                "src/x/azure-ml-job.yaml: command: it runs y.py, which does not exist",
            ],
            id="code that does not exist",
        ),
        pytest.param(
            "command: [", ["src/x/azure-ml-job.yaml: line 2, column 1: not valid"], id="no YAML"
        ),
    ],
)
def test_passes_on_the_errors_that_pants_finds(
    rule_runner: RuleRunner, job_file: str, starts: list[str]
) -> None:
    job, _ = gather(rule_runner, {**EXPERIMENT, "src/x/azure-ml-job.yaml": job_file})
    assert len(job.errors) == len(starts)
    assert all(error.startswith(start) for error, start in zip(job.errors, starts))


def test_reports_a_missing_job_file(rule_runner: RuleRunner) -> None:
    job, files = gather(rule_runner, {"src/x/BUILD": "azureml_job(name='job')"})
    (error,) = job.errors
    assert error.startswith("src/x/azure-ml-job.yaml: there is no such file.")
    assert files == ()


def test_a_target_can_opt_out(rule_runner: RuleRunner) -> None:
    build = "azureml_job(name='a')\nazureml_job(name='b', skip_azureml_jobs=True)\n"
    rule_runner.write_files({"src/x/BUILD": build})
    left_out = {
        name: LintJobFieldSet.opt_out(rule_runner.get_target(Address("src/x", target_name=name)))
        for name in ("a", "b")
    }
    assert left_out == {"a": False, "b": True}
