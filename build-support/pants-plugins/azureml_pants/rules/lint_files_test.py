from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from azureml_pants.options import CheckJsonschema, Hadolint, Shellcheck
from azureml_pants.rules.lint_build_servers import (
    LintBuildServersRequest,
    Schema,
    choose_build_server_files,
    lint_build_server_files,
    shortened,
)
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


def check_jsonschema(skip: bool = False) -> Any:
    schemas = {
        "azure-pipelines": ["azure-pipelines.yml"],
        "github-workflows": [".github/workflows/*.yml"],
    }
    return Mock(spec=CheckJsonschema, schemas=schemas, skip=skip, tool_resolve="check-jsonschema")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(
            check_jsonschema(),
            [
                ("azure-pipelines", ("azure-pipelines.yml",)),
                ("github-workflows", (".github/workflows/a.yml", ".github/workflows/b.yml")),
            ],
            id="each schema its files",
        ),
        pytest.param(check_jsonschema(skip=True), [], id="skipped"),
    ],
)
def test_chooses_the_files_of_build_servers(
    options: Any, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    files = (
        *("azure-pipelines.yml", ".github/workflows/b.yml", ".github/workflows/a.yml"),
        *(".github/dependabot.yml", "src/azure-pipelines.yml", "src/x/job.yml"),
    )
    request = LintBuildServersRequest.PartitionRequest(files)
    found = run_rule_with_mocks(choose_build_server_files, rule_args=[request, options])
    assert [(each.metadata.name, each.elements) for each in found] == expected


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


def test_check_jsonschema_is_told_the_schema() -> None:
    batch = LintBuildServersRequest.Batch(
        "check-jsonschema", (".github/workflows/a.yml",), Schema("github-workflows")
    )
    result, run = lint(lint_build_server_files, batch, check_jsonschema())
    assert run.program == "check-jsonschema"
    assert run.arguments[:2] == ("--builtin-schema", "vendor.github-workflows")
    assert run.arguments[-1] == ".github/workflows/a.yml"
    assert run.globs == (".github/workflows/a.yml",)
    assert (result.exit_code, result.stdout) == (1, "line 1: wrong\n")


def test_what_fits_no_schema_is_not_printed_as_a_whole() -> None:
    short = "  $.jobs.check: 'runs-on' is a required property\n"
    found = shortened(f"a.yml::$.jobs: {'x' * 5000} is not valid\n{short}")
    first, second = found.splitlines(keepends=True)
    assert first.startswith("a.yml::$.jobs: x") and first.endswith("x is not valid\n")
    assert len(first) < 300
    assert second == short
