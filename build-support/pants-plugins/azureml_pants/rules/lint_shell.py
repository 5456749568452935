"""`lint` of shell scripts by shellcheck."""

from __future__ import annotations

from typing import Any

from azureml_pants.options import Shellcheck
from azureml_pants.rules.program import ProgramRun
from pants.core.goals.lint import LintFilesRequest, LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.internals.native_engine import FilespecMatcher
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, collect_rules, rule
from pants.util.logging import LogLevel
from pants.util.strutil import pluralize


class LintShellRequest(LintFilesRequest):
    tool_subsystem = Shellcheck  # type: ignore[assignment]


@rule
async def choose_shell_scripts(
    request: LintShellRequest.PartitionRequest, shellcheck: Shellcheck
) -> Partitions[str, Any]:
    found = FilespecMatcher(includes=shellcheck.include, excludes=()).matches(request.files)
    if shellcheck.skip or not found:
        return Partitions()
    return Partitions.single_partition(sorted(found))


@rule(desc="Lint shell scripts", level=LogLevel.DEBUG)
async def lint_shell_scripts(
    request: LintShellRequest.Batch[str, Any], shellcheck: Shellcheck
) -> LintResult:
    result = await Get(
        FallibleProcessResult,
        ProgramRun(
            resolve=shellcheck.tool_resolve,
            program="shellcheck",
            arguments=("--external-sources", *request.elements),
            # All scripts, because one may source others, which shellcheck reads as well.
            globs=(*shellcheck.include, "**/.shellcheckrc"),
            description=f"Run shellcheck on {pluralize(len(request.elements), 'file')}",
        ),
    )
    return LintResult.create(request, result)


def rules():
    return [*collect_rules(), *LintShellRequest.rules()]
