"""`lint` of what build servers read, by check-jsonschema and the schemas that come with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_pants.options import CheckJsonschema
from azureml_pants.rules.program import ProgramRun
from pants.core.goals.lint import LintFilesRequest, LintResult
from pants.core.util_rules.partitions import Partition, Partitions
from pants.engine.internals.native_engine import FilespecMatcher
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, collect_rules, rule
from pants.util.logging import LogLevel
from pants.util.strutil import pluralize

# check-jsonschema prints the whole of what fits no schema before it says what is wrong in it.
_LONGEST_LINE = 200


class LintBuildServersRequest(LintFilesRequest):
    tool_subsystem = CheckJsonschema  # type: ignore[assignment]


@dataclass(frozen=True)
class Schema:
    """`name` is one of check-jsonschema's own, e.g. `github-workflows`."""

    name: str

    @property
    def description(self) -> str:
        return self.name

    @property
    def arguments(self) -> tuple[str, ...]:
        arguments = ("--builtin-schema", f"vendor.{self.name}", "--color", "never")
        if self.name == "azure-pipelines":
            # Its patterns are invalid in Unicode mode, and `${{ if … }}:` stands for its content.
            return (*arguments, "--regex-variant=nonunicode", "--data-transform=azure-pipelines")
        return arguments


@rule
async def choose_build_server_files(
    request: LintBuildServersRequest.PartitionRequest, options: CheckJsonschema
) -> Partitions[str, Schema]:
    if options.skip:
        return Partitions()
    found = {
        name: FilespecMatcher(includes=tuple(globs), excludes=()).matches(request.files)
        for name, globs in options.schemas.items()
    }
    return Partitions(
        Partition(tuple(sorted(files)), Schema(name)) for name, files in found.items() if files
    )


@rule(desc="Lint build servers' files", level=LogLevel.DEBUG)
async def lint_build_server_files(
    request: LintBuildServersRequest.Batch[str, Schema], options: CheckJsonschema
) -> LintResult:
    result = await Get(
        FallibleProcessResult,
        ProgramRun(
            resolve=options.tool_resolve,
            program="check-jsonschema",
            arguments=(*request.partition_metadata.arguments, *request.elements),
            globs=request.elements,
            description=f"Run check-jsonschema on {pluralize(len(request.elements), 'file')}",
        ),
    )
    found = LintResult.create(request, result)
    return replace(found, stdout=shortened(found.stdout))


def shortened(text: str) -> str:
    """The lines of `text`, of long ones their beginning and their end."""
    half = _LONGEST_LINE // 2
    return "".join(
        line if len(line) <= _LONGEST_LINE else f"{line[:half]} … {line[-half:]}"
        for line in text.splitlines(keepends=True)
    )


def rules():
    return [*collect_rules(), *LintBuildServersRequest.rules()]
