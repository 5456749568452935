from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from azureml_pants.options import Hadolint, Shellcheck
from azureml_pants.rules.lint_docker import (
    LintDockerfilesRequest,
    choose_dockerfiles,
    lint_dockerfiles,
)
from azureml_pants.rules.lint_shell import (
    LintShellRequest,
    choose_shell_scripts,
    lint_shell_scripts,
)
from azureml_pants.rules.program import ProgramRun
from pants.core.goals.lint import LintResult
from pants.engine.process import FallibleProcessResult
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks


def shellcheck(skip: bool = False) -> Any:
    include = ("**/*.sh", "pants", ".ci/run")
    return Mock(spec=Shellcheck, include=include, skip=skip, tool_resolve="shellcheck")


def hadolint(skip: bool = False) -> Any:
    include = ("**/Dockerfile", "**/Dockerfile.*")
    return Mock(spec=Hadolint, include=include, skip=skip, tool_resolve="hadolint")


@pytest.mark.parametrize(
    ("options", "files", "expected"),
    [
        pytest.param(
            shellcheck(),
            ("a.sh", "src/x/b.sh", "pants", "src/pants", "a.py", ".ci/run"),
            [(".ci/run", "a.sh", "pants", "src/x/b.sh")],
            id="scripts among others",
        ),
        pytest.param(shellcheck(), ("a.py",), [], id="no script"),
        pytest.param(shellcheck(skip=True), ("a.sh",), [], id="shellcheck skipped"),
        pytest.param(
            hadolint(),
            ("x/Dockerfile", "x/Dockerfile.gpu", "x/Dockerfile.gpu.dockerignore", "x/a.py"),
            [("x/Dockerfile", "x/Dockerfile.gpu")],
            id="Dockerfiles among others",
        ),
        pytest.param(hadolint(), ("a.py",), [], id="no Dockerfile"),
        pytest.param(hadolint(skip=True), ("Dockerfile",), [], id="hadolint skipped"),
    ],
)
def test_chooses_the_files(
    options: Any, files: tuple[str, ...], expected: list[tuple[str, ...]]
) -> None:
    rule, request = (
        (choose_dockerfiles, LintDockerfilesRequest)
        if options._spec_class is Hadolint
        else (choose_shell_scripts, LintShellRequest)
    )
    found = run_rule_with_mocks(rule, rule_args=[request.PartitionRequest(files), options])
    assert [partition.elements for partition in found] == expected


def lint(rule: Any, batch: Any, options: Any) -> tuple[LintResult, ProgramRun]:
    """The result of a linter that finds something, and how it was run."""
    runs: list[ProgramRun] = []

    def start(run: ProgramRun) -> FallibleProcessResult:
        runs.append(run)
        return Mock(exit_code=1, stdout=b"line 1: wrong\n", stderr=b"")

    result = run_rule_with_mocks(
        rule,
        rule_args=[batch, options],
        mock_gets=[MockGet(FallibleProcessResult, (ProgramRun,), start)],
    )
    (run,) = runs
    return result, run


def test_shellcheck_follows_what_a_script_sources() -> None:
    batch = LintShellRequest.Batch("shellcheck", ("src/x/run.sh",), Mock(description=None))
    result, run = lint(lint_shell_scripts, batch, shellcheck())
    assert (run.program, run.resolve) == ("shellcheck", "shellcheck")
    assert run.arguments == ("--external-sources", "src/x/run.sh")
    assert {"**/*.sh", "pants", "**/.shellcheckrc"} <= set(run.globs)
    assert (result.exit_code, result.stdout) == (1, "line 1: wrong\n")
    assert result.linter_name == "shellcheck"


def test_hadolint_reads_the_dockerfiles_and_its_settings() -> None:
    batch = LintDockerfilesRequest.Batch("hadolint", ("x/Dockerfile",), Mock(description=None))
    result, run = lint(lint_dockerfiles, batch, hadolint())
    assert (run.program, run.arguments) == ("hadolint", ("--no-color", "x/Dockerfile"))
    assert run.globs == ("x/Dockerfile", ".hadolint.yaml")
    assert (result.exit_code, result.linter_name) == (1, "hadolint")
