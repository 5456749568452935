"""`lint` of imports: whether a file or a package of the resolve satisfies each, and is locked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from azureml_jobs.imports.result import OutsideModule
from azureml_pants.code.file_imports import FileImports, FileImportsRequest
from azureml_pants.code.import_errors import ImportErrors, MissingModules, RequirementErrors
from pants.backend.python.dependency_inference.module_mapper import AllPythonTargets
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import (
    PythonRequirementResolveField,
    PythonResolveField,
    PythonSourceField,
)
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import FieldSet, Targets
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
class LintImportsFieldSet(FieldSet):
    required_fields = (PythonSourceField, PythonResolveField)

    source: PythonSourceField
    resolve: PythonResolveField


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
    resolves = [each.resolve.normalized_value(python_setup) for each in request.elements]
    files = await MultiGet(
        Get(FileImports, FileImportsRequest(field_set.address, field_set.source.file_path, resolve))
        for field_set, resolve in zip(request.elements, resolves)
    )
    missing: dict[str, list[OutsideModule]] = defaultdict(list)
    for resolve, found in zip(resolves, files):
        missing[resolve] += found.missing
    listed = Targets(
        target
        for target in python_targets.third_party
        if target[PythonRequirementResolveField].normalized_value(python_setup) in missing
    )
    errors = await MultiGet(
        Get(ImportErrors, MissingModules(tuple(modules), resolve))
        for resolve, modules in sorted(missing.items())
    )
    requirements = await Get(RequirementErrors, Targets, listed)
    messages = (*(text for each in errors for text in each.messages), *requirements.messages)
    return LintResult(
        exit_code=1 if messages else 0,
        stdout="\n\n".join(messages),
        stderr="",
        linter_name=request.tool_name,
    )


def rules():
    return [*collect_rules(), *LintImportsRequest.rules()]
