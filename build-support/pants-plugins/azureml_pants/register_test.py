from __future__ import annotations

from azureml_pants import register
from azureml_pants.rules.lint_job import LintJobsRequest
from azureml_pants.rules.package_job import PackageJobFieldSet
from azureml_pants.rules.run_job import RunJobFieldSet
from azureml_pants.rules.run_jupyter import RunJupyterFieldSet
from azureml_pants.rules.run_script import (
    RunLocalFieldSet,
    RunTerminalFieldSet,
    RunTestsFieldSet,
)
from azureml_pants.rules.run_workspace import RunWorkspaceFieldSet
from pants.backend.build_files.fmt.black import register as build_files_black
from pants.backend.experimental.tools.yamllint import register as yamllint
from pants.backend.python import register as python
from pants.backend.python.lint.black import register as black
from pants.backend.python.lint.flake8 import register as flake8
from pants.backend.python.lint.isort import register as isort
from pants.backend.python.typecheck.mypy import register as mypy
from pants.core import register as core
from pants.core.goals.lint import LintResult
from pants.core.goals.package import BuiltPackage
from pants.core.goals.run import RunRequest
from pants.testutil.rule_runner import QueryRule, RuleRunner


def test_the_rules_fit_the_backends_that_are_enabled_beside() -> None:
    backends = (core, python, black, flake8, isort, mypy, yamllint, build_files_black)
    runner = RuleRunner(
        rules=[
            *register.rules(),
            *(rule for backend in backends for rule in backend.rules()),
            QueryRule(BuiltPackage, [PackageJobFieldSet]),
            QueryRule(RunRequest, [RunJobFieldSet]),
            QueryRule(RunRequest, [RunJupyterFieldSet]),
            QueryRule(RunRequest, [RunLocalFieldSet]),
            QueryRule(RunRequest, [RunTerminalFieldSet]),
            QueryRule(RunRequest, [RunTestsFieldSet]),
            QueryRule(RunRequest, [RunWorkspaceFieldSet]),
            QueryRule(LintResult, [LintJobsRequest.Batch]),
        ],
        target_types=[*register.target_types(), *core.target_types(), *python.target_types()],
    )
    assert {"azureml_job", "azureml_local", "azureml_workspace"} <= {
        target.alias for target in runner.target_types
    }
