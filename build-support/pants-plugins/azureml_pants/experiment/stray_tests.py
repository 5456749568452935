"""`lint` of files that look like tests and that `./pants test` does not run."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.overlay import pattern_of
from pants.backend.python.target_types import PythonTestSourceField
from pants.core.goals.lint import LintFilesRequest, LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.addresses import Addresses
from pants.engine.fs import DigestContents, PathGlobs
from pants.engine.internals.graph import Owners, OwnersRequest
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import UnexpandedTargets
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel
from pants.util.strutil import help_text

# What pytest collects.
_NAME = re.compile(r"(.*/)?(test_[^/]*|[^/]*_test)\.py")
_TEST = re.compile(r"^\s*(async )?def test", re.MULTILINE)


class StrayTestsLinter(Subsystem):
    options_scope = "stray-tests"
    name = "stray-tests"
    help = help_text("""
        The linter of tests. It reports files with tests that are not the source of a target for
        tests, so that `./pants test ::` leaves them out.
        """)

    skip = SkipOption("lint")


class LintStrayTestsRequest(LintFilesRequest):
    tool_subsystem = StrayTestsLinter  # type: ignore[assignment]


@rule
async def find_files_named_as_tests(
    request: LintStrayTestsRequest.PartitionRequest, linter: StrayTestsLinter
) -> Partitions[str, Any]:
    if linter.skip:
        return Partitions()
    return Partitions.single_partition(filter(_NAME.fullmatch, request.files))


@rule(desc="Lint tests", level=LogLevel.DEBUG)
async def lint_stray_tests(request: LintStrayTestsRequest.Batch[str, Any]) -> LintResult:
    owners = await MultiGet(Get(Owners, OwnersRequest((path,))) for path in request.elements)
    targets = await MultiGet(Get(UnexpandedTargets, Addresses(found)) for found in owners)
    stray = [
        path
        for path, found in zip(request.elements, targets)
        if not any(target.has_field(PythonTestSourceField) for target in found)
    ]
    contents = await Get(DigestContents, PathGlobs(map(pattern_of, stray)))
    messages = [
        str(stray_test(file.path))
        for file in contents
        if _TEST.search(file.content.decode(errors="replace"))
    ]
    return LintResult(
        exit_code=1 if messages else 0,
        stdout="\n\n".join(messages),
        stderr="",
        linter_name=request.tool_name,
    )


def stray_test(path: str) -> JobError:
    build = posixpath.join(posixpath.dirname(path), "BUILD")
    return JobError(
        path,
        "nothing runs this test",
        f'Write `folder_tests(name="tests")` in {build}, or, if the folder is part of an '
        "experiment, add the file to `experiment(tests=[…])`.",
    )


def rules():
    return [*collect_rules(), *LintStrayTestsRequest.rules()]
