"""`lint` of imports: whether each has an owner in the resolve of the file, and is locked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azureml_pants.code.imports import (
    FileImports,
    FileImportsRequest,
    ImportErrors,
    RequirementErrors,
    UnownedImports,
)
from pants.backend.python.dependency_inference.module_mapper import AllPythonTargets
from pants.backend.python.dependency_inference.rules import (
    PythonImportDependenciesInferenceFieldSet,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonRequirementResolveField
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import Targets
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel
from pants.util.strutil import help_text


class ImportsLinter(Subsystem):
    options_scope = "unowned-imports"
    name = "unowned-imports"
    help = help_text("""
        The linter of imports. It reports modules that are neither code of this repository nor part
        of a package in the resolve. A job or a script with such an import does not run.
        """)

    skip = SkipOption("lint")


@dataclass(frozen=True)
class LintImportsFieldSet(PythonImportDependenciesInferenceFieldSet):
    pass


class LintImportsRequest(LintTargetsRequest):
    field_set_type = LintImportsFieldSet
    tool_subsystem = ImportsLinter  # type: ignore[assignment]
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


@rule(desc="Lint imports", level=LogLevel.DEBUG)
async def lint_imports(
    request: LintImportsRequest.Batch[LintImportsFieldSet, Any],
    python_setup: PythonSetup,
    python_targets: AllPythonTargets,
) -> LintResult:
    files = await MultiGet(
        Get(
            FileImports,
            FileImportsRequest(
                PythonImportDependenciesInferenceFieldSet(
                    field_set.address,
                    field_set.source,
                    field_set.dependencies,
                    field_set.resolve,
                    field_set.interpreter_constraints,
                )
            ),
        )
        for field_set in request.elements
    )
    resolves = {field_set.resolve.normalized_value(python_setup) for field_set in request.elements}
    listed = Targets(
        target
        for target in python_targets.third_party
        if target[PythonRequirementResolveField].normalized_value(python_setup) in resolves
    )
    errors, requirements = await MultiGet(
        Get(ImportErrors, UnownedImports(tuple(each for file in files for each in file.unowned))),
        Get(RequirementErrors, Targets, listed),
    )
    messages = (*errors.messages, *requirements.messages)
    return LintResult(
        exit_code=1 if messages else 0,
        stdout="\n\n".join(messages),
        stderr="",
        linter_name=request.tool_name,
    )


def rules():
    return [*collect_rules(), *LintImportsRequest.rules()]
