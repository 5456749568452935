"""`run` of a shell."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_pants.code.script_code import ScriptCode, ScriptCodeRequest
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.script.run_script import RunScriptRequest
from azureml_pants.script.target_types import AzureMLTerminalDependenciesField
from pants.backend.python.subsystems.setup import PythonSetup
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
async def run_terminal(field_set: RunTerminalFieldSet, python_setup: PythonSetup) -> RunRequest:
    resolve = field_set.resolve.normalized_value(python_setup)
    code = await Get(ScriptCode, ScriptCodeRequest(field_set.address, resolve))
    return await Get(
        RunRequest,
        RunScriptRequest("terminal", field_set.address, field_set.image, resolve, code),
    )


def rules():
    return [*collect_rules(), *RunTerminalFieldSet.rules()]
