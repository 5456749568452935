from __future__ import annotations

from unittest.mock import Mock

import pytest
from azureml_jobs.protocol import RuntimeOptions
from azureml_pants.base.options import Runtime
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.environment.runtime import (
    NamedImage,
    NamedImageRequest,
    find_runtime_options,
)
from pants.engine.addresses import Address
from pants.engine.internals.scheduler import ExecutionError
from pants.testutil.rule_runner import RuleRunner, run_rule_with_mocks


def test_the_options_leave_the_terminal_to_the_job_tool() -> None:
    options = run_rule_with_mocks(
        find_runtime_options,
        rule_args=[
            Mock(runtime=Runtime.docker),
            Mock(run_args=("--interactive", "--tty", "--gpus", "all"), build_args=("A=b",)),
        ],
    )
    assert options == RuntimeOptions("docker", ("--gpus", "all"), ("A=b",))


def test_names_what_is_no_image(rule_runner: RuleRunner) -> None:
    address = Address("src/x", target_name="local")
    rule_runner.write_files({"src/x/BUILD": "files(name='files', sources=['*'])"})
    asked = NamedImageRequest(address, AzureMLImageField(":files", address))
    with pytest.raises(
        ExecutionError, match="src/x:local: image: src/x:files is no `docker_image`"
    ):
        rule_runner.request(NamedImage, [asked])
