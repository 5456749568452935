from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.locks.conftest import lock_text, package
from azureml_pants.conftest import OPTIONS
from azureml_pants.locks.sync_lockfiles import SyncLockfiles
from azureml_pants.locks.synced_lock import lock_metadata
from pants.backend.python.goals.lockfile import GeneratePythonLockfile
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex_requirements import ResolvePexConfig
from pants.testutil.rule_runner import GoalRuleResult, RuleRunner
from pants.util.ordered_set import FrozenOrderedSet


def locked(resolve: str, *requirements: str) -> str:
    """A lock as it is after a sync with these requirements."""
    lock = GeneratePythonLockfile(
        requirements=FrozenOrderedSet(requirements),
        interpreter_constraints=InterpreterConstraints(["CPython==3.11.*"]),
        resolve_name=resolve,
        lockfile_dest=f"{resolve}.lock",
        diff=False,
    )
    none = FrozenOrderedSet[str]()
    config = ResolvePexConfig((), (), "manylinux2014", None, none, none, ())
    text = lock_text([package("six", "1.16")])
    return (
        lock_metadata(lock, config)
        .add_header_to_lockfile(text.encode(), regenerate_command="x", delimeter="//")
        .decode()
    )


REPOSITORY = {
    "3rdparty/BUILD": (
        "package_list(name='main', source='main.txt')\n"
        "package_list(name='second', source='second.txt', resolve='second')\n"
    ),
    "3rdparty/main.txt": "six>=1\n",
    "3rdparty/second.txt": "six\n",
    "main.lock": locked("main", "six>=1"),
    "second.lock": locked("second", "six"),
}


def run(rule_runner: RuleRunner, *arguments: str, **files: str) -> GoalRuleResult:
    """`./pants sync-lockfiles ARGUMENTS`, with no package index; no lock may be written."""
    written = {**REPOSITORY, **files}
    rule_runner.write_files(written)
    result = rule_runner.run_goal_rule(
        SyncLockfiles, global_args=OPTIONS, args=arguments, env_inherit={"PATH", "HOME"}
    )
    root = Path(rule_runner.build_root)
    for path, text in written.items():
        assert (root / path).read_text() == text
    return result


def test_locks_that_fit_are_left_alone(rule_runner: RuleRunner) -> None:
    result = run(rule_runner)
    assert (result.exit_code, result.stdout) == (0, "Nothing to do: 2 locks fit.\n")


def test_a_selected_lock_that_fits_is_reported(rule_runner: RuleRunner) -> None:
    result = run(rule_runner, "--resolve=second")
    assert result.stdout == "second.lock: nothing to do, it fits its requirements.\n"


@pytest.mark.parametrize(
    "arguments, files, message",
    [
        pytest.param(
            ["--resolve=mian"],
            {},
            "--resolve=mian: there is no such resolve.",
            id="no such resolve",
        ),
        pytest.param(
            [],
            {"3rdparty/main.txt": "six\n\nnumpy=>2\n"},
            "3rdparty/main.txt:3: `numpy=>2` is not a requirement",
            id="bad syntax",
        ),
        pytest.param(
            [],
            {"3rdparty/main.txt": "six\n-r more.txt\n"},
            "3rdparty/main.txt:2: the option `-r` has no effect here.",
            id="an option",
        ),
        pytest.param(
            [],
            {"3rdparty/main.txt": "six @ git+https://user:secret@example.org/six.git\n"},
            "3rdparty/main.txt:1: `six @ git+https://***@example.org/six.git` is not on the",
            id="an address with credentials",
        ),
        pytest.param(
            [],
            {"main.lock": "<<<<<<< HEAD\n{}\n"},
            "main.lock: this is not a lock that can be synced.",
            id="a merge",
        ),
        pytest.param(
            ["--resolve=main"],
            {"3rdparty/main.txt": "# nothing\n"},
            "the resolve `main` has no requirements.",
            id="no requirements",
        ),
    ],
)
def test_an_error_is_reported_and_nothing_is_written(
    rule_runner: RuleRunner, arguments: list[str], files: dict[str, str], message: str
) -> None:
    result = run(rule_runner, *arguments, **files)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr and "secret" not in result.stderr
