from __future__ import annotations

from unittest.mock import Mock

from azureml_jobs.protocol import RuntimeOptions
from azureml_pants.base.options import Runtime
from azureml_pants.environment.runtime import find_runtime_options
from pants.testutil.rule_runner import run_rule_with_mocks


def test_the_options_leave_the_terminal_to_the_job_tool() -> None:
    options = run_rule_with_mocks(
        find_runtime_options,
        rule_args=[
            Mock(runtime=Runtime.docker),
            Mock(run_args=("--interactive", "--tty", "--gpus", "all"), build_args=("A=b",)),
        ],
    )
    assert options == RuntimeOptions("docker", ("--gpus", "all"), ("A=b",))
