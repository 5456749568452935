"""Test `experiment()` of build-support/macros, by the targets that a folder gets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import azureml_pants
import pytest
from azureml_pants.conftest import OPTIONS
from pants.backend.project_info.dependencies import Dependencies
from pants.backend.project_info.list_targets import List
from pants.base.exceptions import MappingError
from pants.engine.goal import Goal
from pants.testutil.rule_runner import RuleRunner, engine_error

MACRO = Path(azureml_pants.__file__).parents[2] / "macros/experiment.py"
JOB = {"src/x/azure-ml-job.yaml": "command: python main.py\nenvironment: azureml:e:1\n"}
CODE = {**JOB, "src/x/main.py": ""}


def run(
    rule_runner: RuleRunner, goal: type[Goal], files: Mapping[str, str], *arguments: str
) -> list[str]:
    """Return what `./pants GOAL ARGUMENTS` prints; a glob without a match is an error."""
    rule_runner.write_files(
        {"macros/experiment.py": MACRO.read_text(), "src/x/BUILD": "experiment()", **files}
    )
    options = ["--build-file-prelude-globs=macros/*.py", "--unmatched-build-file-globs=error"]
    result = rule_runner.run_goal_rule(goal, global_args=[*OPTIONS, *options], args=arguments)
    return result.stdout.splitlines()


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(CODE, id="neither tests nor a Dockerfile"),
        pytest.param({**JOB, "src/x/main.R": ""}, id="no Python"),
        pytest.param({**CODE, "src/x/a_test.py": ""}, id="one kind of test"),
        pytest.param({**CODE, "src/x/BUILD": "experiment(docker=None)"}, id="no image"),
    ],
)
def test_files_may_be_missing(rule_runner: RuleRunner, files: Mapping[str, str]) -> None:
    assert "src/x/azure-ml-job.yaml:files" in run(rule_runner, List, files, "src/x::")
    run(rule_runner, Dependencies, files, "src/x::")


@pytest.mark.parametrize(
    "build, file, owners",
    [
        pytest.param("", "main.py", {"lib"}, id="code"),
        pytest.param("", "conftest.py", {"lib"}, id="fixtures"),
        pytest.param("", "tests/deep/test_a.py", {"../../tests"}, id="a test in its folder"),
        pytest.param("", "test_a.py", {"tests"}, id="a test next to the code"),
        pytest.param("", "a_test.py", {"tests"}, id="a test by pytest's other name"),
        pytest.param("tests=['m*.py']", "a_test.py", {"lib"}, id="no test"),
        pytest.param("", "conf/deep/a.yaml", {"../../files"}, id="a configuration"),
        pytest.param("", "run.sh", {"files"}, id="a script"),
        pytest.param("", "a.pyi", {"files"}, id="types"),
        pytest.param("", "docker/apt.txt", {"../docker"}, id="the context of the image"),
        pytest.param("docker=None", "docker/apt.txt", {"../files"}, id="no context"),
        pytest.param("files=['*.json']", "a.json", {"files", "job-files"}, id="a declared file"),
        pytest.param("local_files=['*.csv']", "a.csv", {"files", "local-files"}, id="a local file"),
    ],
)
def test_each_file_has_an_owner(
    rule_runner: RuleRunner, build: str, file: str, owners: set[str]
) -> None:
    files = {**CODE, "src/x/BUILD": f"experiment({build})", f"src/x/{file}": ""}
    if "files" in build:
        files |= {"src/x/a.json": "", "src/x/a.csv": ""}
    found = run(rule_runner, List, files, "src/x::")
    assert {each.partition(":")[2] for each in found if each.startswith(f"src/x/{file}:")} == owners


def test_arguments_reach_the_targets(rule_runner: RuleRunner) -> None:
    build = "experiment(jobs={'sweep': 'sweep.yaml'}, entry_point='main.py', files=['a.json'])"
    files = {**CODE, "src/x/BUILD": build, "src/x/sweep.yaml": "command: ls", "src/x/a.json": ""}
    for job, depends_on_main in (("job", True), ("sweep", False)):
        found = run(rule_runner, Dependencies, files, f"src/x:{job}")
        assert "src/x/a.json:job-files" in found
        assert ("src/x/main.py:lib" in found) == depends_on_main


def test_a_job_depends_on_the_files_that_it_names(rule_runner: RuleRunner) -> None:
    files = {
        **CODE,
        "src/x/azure-ml-job.yaml": "code: .\ncommand: python main.py --config conf/a.yaml\n",
        **dict.fromkeys(("src/x/conf/a.yaml", "src/x/conf/b.yaml", "src/x/README.md"), ""),
    }
    assert run(rule_runner, Dependencies, files, "src/x:job") == [
        "src/x/azure-ml-job.yaml:files",
        "src/x/conf/a.yaml:../files",
        "src/x/main.py:lib",
    ]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("entrypoint='main.py'", "experiment() has no entrypoint. Write one of these: job_file"),
        ("files='*.csv'", 'files is a list. Write files=["*.csv"].'),
        ("jobs='sweep.yaml'", 'Write jobs={"sweep": "sweep.yaml"}.'),
    ],
)
def test_an_invalid_argument_is_reported_with_what_to_write(
    rule_runner: RuleRunner, arguments: str, message: str
) -> None:
    with engine_error(MappingError, contains=message):
        run(rule_runner, List, {"src/x/BUILD": f"experiment({arguments})"}, "::")
