"""`run` of tests in an image."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.script.experiment_tests import TestsCode, TestsCodeRequest
from azureml_pants.script.run_script import RunScriptRequest
from azureml_pants.script.target_types import AzureMLTestDependenciesField
from pants.backend.python.subsystems.pytest import PyTest
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField, PythonTestSourceField
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import DependenciesRequest, Targets


@dataclass(frozen=True)
class RunTestsFieldSet(RunFieldSet):
    required_fields = (AzureMLTestDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    dependencies: AzureMLTestDependenciesField
    image: AzureMLImageField
    resolve: PythonResolveField


@rule
async def run_tests(
    field_set: RunTestsFieldSet, pytest: PyTest, python_setup: PythonSetup
) -> RunRequest:
    targets = await Get(Targets, DependenciesRequest(field_set.dependencies))
    tests = tuple(
        target[PythonTestSourceField].file_path
        for target in targets
        if target.has_field(PythonTestSourceField)
    )
    resolve = field_set.resolve.normalized_value(python_setup)
    code = await Get(TestsCode, TestsCodeRequest(field_set.address, resolve, tests))
    # As for Pants' own goal: pytest reads one settings file, that of the build root.
    settings = await Get(ConfigFiles, ConfigFilesRequest, pytest.config_request([""]))
    return await Get(
        RunRequest,
        RunScriptRequest(
            "tests",
            field_set.address,
            field_set.image,
            resolve,
            code.code,
            tests=tests,
            settings=settings.snapshot,
            in_image=True,
        ),
    )


def rules():
    return [*collect_rules(), *RunTestsFieldSet.rules()]
