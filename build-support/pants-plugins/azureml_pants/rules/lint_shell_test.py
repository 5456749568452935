from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from azureml_pants.options import Shellcheck
from azureml_pants.rules.lint_shell import (
    LintShellRequest,
    choose_shell_scripts,
    lint_shell_scripts,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.pex import VenvPex, VenvPexRequest
from pants.core.goals.lint import LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.fs import EMPTY_DIGEST, Digest, MergeDigests, PathGlobs
from pants.engine.process import FallibleProcessResult, Process
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks


def options(skip: bool = False) -> Any:
    include = ("**/*.sh", "pants", ".ci/run")
    return Mock(spec=Shellcheck, include=include, skip=skip, tool_resolve="shellcheck")


@pytest.mark.parametrize(
    ("skip", "files", "expected"),
    [
        pytest.param(
            False,
            ("a.sh", "src/x/b.sh", "pants", "src/pants", "a.py", ".ci/run"),
            [(".ci/run", "a.sh", "pants", "src/x/b.sh")],
            id="scripts among others",
        ),
        pytest.param(False, ("a.py",), [], id="none"),
        pytest.param(True, ("a.sh",), [], id="skipped"),
    ],
)
def test_chooses_the_scripts(
    skip: bool, files: tuple[str, ...], expected: list[tuple[str, ...]]
) -> None:
    found: Partitions[str, Any] = run_rule_with_mocks(
        choose_shell_scripts,
        rule_args=[LintShellRequest.PartitionRequest(files), options(skip)],
    )
    assert [partition.elements for partition in found] == expected


def lint(exit_code: int, stdout: bytes) -> tuple[LintResult, list[Process], list[PathGlobs]]:
    """The result for one script, with the processes that ran and the files that were taken."""
    started: list[Process] = []
    taken: list[PathGlobs] = []

    def start(process: Process) -> FallibleProcessResult:
        started.append(process)
        return Mock(exit_code=exit_code, stdout=stdout, stderr=b"")

    def take(globs: PathGlobs) -> Digest:
        taken.append(globs)
        return EMPTY_DIGEST

    venv = Mock(spec=VenvPex, digest=EMPTY_DIGEST, bin={"shellcheck": Mock(argv0="./shellcheck")})
    result = run_rule_with_mocks(
        lint_shell_scripts,
        rule_args=[
            LintShellRequest.Batch("shellcheck", ("src/x/run.sh",), Mock(description=None)),
            options(),
            Mock(
                spec=PythonSetup,
                resolves_to_interpreter_constraints={},
                interpreter_constraints=("CPython==3.11.*",),
            ),
            Mock(**{"in_sandbox.return_value.append_only_caches": {}}),
        ],
        mock_gets=[
            MockGet(VenvPex, (VenvPexRequest,), lambda _: venv),
            MockGet(FallibleProcessResult, (Process,), start),
            MockGet(Digest, (PathGlobs,), take),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
        ],
    )
    return result, started, taken


def test_shellcheck_follows_what_a_script_sources() -> None:
    _, (process,), (globs,) = lint(0, b"")
    assert process.argv == ("./shellcheck", "--external-sources", "src/x/run.sh")
    assert {"**/*.sh", "pants", "**/.shellcheckrc"} <= set(globs.globs)


def test_findings_are_told_and_the_status_is_that_of_shellcheck() -> None:
    result, _, _ = lint(1, b"In src/x/run.sh line 1:\n")
    assert (result.exit_code, result.stdout) == (1, "In src/x/run.sh line 1:\n")
    assert result.linter_name == "shellcheck"
