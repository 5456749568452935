"""`lint` of Dockerfiles by hadolint."""

from __future__ import annotations

from typing import Any

from azureml_pants.options import Hadolint
from azureml_pants.rules.program import ProgramRun
from pants.core.goals.lint import LintFilesRequest, LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.internals.native_engine import FilespecMatcher
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, collect_rules, rule
from pants.util.logging import LogLevel
from pants.util.strutil import pluralize

# `Dockerfile.gpu.dockerignore` is what Docker calls the ignore file of `Dockerfile.gpu`.
IGNORE_FILES = ("**/*.dockerignore",)


class LintDockerfilesRequest(LintFilesRequest):
    tool_subsystem = Hadolint  # type: ignore[assignment]


@rule
async def choose_dockerfiles(
    request: LintDockerfilesRequest.PartitionRequest, hadolint: Hadolint
) -> Partitions[str, Any]:
    matcher = FilespecMatcher(includes=hadolint.include, excludes=IGNORE_FILES)
    found = matcher.matches(request.files)
    if hadolint.skip or not found:
        return Partitions()
    return Partitions.single_partition(sorted(found))


@rule(desc="Lint Dockerfiles", level=LogLevel.DEBUG)
async def lint_dockerfiles(
    request: LintDockerfilesRequest.Batch[str, Any], hadolint: Hadolint
) -> LintResult:
    result = await Get(
        FallibleProcessResult,
        ProgramRun(
            resolve=hadolint.tool_resolve,
            program="hadolint",
            arguments=("--no-color", *request.elements),
            globs=(*request.elements, ".hadolint.yaml"),
            description=f"Run hadolint on {pluralize(len(request.elements), 'file')}",
        ),
    )
    return LintResult.create(request, result)


def rules():
    return [*collect_rules(), *LintDockerfilesRequest.rules()]
