"""`run` of a shell."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.script.run_script import RunScriptRequest
from azureml_pants.script.target_types import AzureMLTerminalDependenciesField
from pants.backend.python.target_types import PythonResolveField
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest
from pants.engine.rules import Get, collect_rules, rule


@dataclass(frozen=True)
class RunTerminalFieldSet(RunFieldSet):
    required_fields = (AzureMLTerminalDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    image: AzureMLImageField
    resolve: PythonResolveField


@rule
async def run_terminal(field_set: RunTerminalFieldSet) -> RunRequest:
    return await Get(
        RunRequest,
        RunScriptRequest("terminal", field_set.address, field_set.image, field_set.resolve),
    )


def rules():
    return [*collect_rules(), *RunTerminalFieldSet.rules()]
