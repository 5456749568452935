from __future__ import annotations

from pathlib import Path

import pytest
from azureml_pants.conftest import OPTIONS
from azureml_pants.new_experiment.goal import NewExperiment
from pants.testutil.rule_runner import GoalRuleResult, RuleRunner

LOCK = """\
// By Pants.
{"locked_resolves": [{"locked_requirements": [
    {"project_name": "scipy", "version": "1"},
    {"project_name": "pyyaml", "version": "1"},
    {"project_name": "some-thing", "version": "1"}
]}]}
"""
REPOSITORY = {
    "main.lock": LOCK,
    "build-support/experiment-template/BUILD.template": "python_sources(sources=['**/*.py'])\n",
    "build-support/experiment-template/main.py.template": "import {{module}}\n",
    "3rdparty/BUILD": "python_requirement(name='a', requirements=['a-b'], modules=['thing.of'])\n",
    "src/first/BUILD": "azureml_job(name='job', source='job.yaml')\n",
    "src/first/job.yaml": "command: python -m first.main\n",
    "src/first/main.py": "from first import main\n",
    "src/common/BUILD": "python_sources(sources=['**/*.py', '!tests/*'])\n",
    "src/common/a.py": "",
    "other/BUILD": "python_sources()\n",
    "other/elsewhere.py": "",
}


def run(rule_runner: RuleRunner, *arguments: str) -> GoalRuleResult:
    """Run `./pants new-experiment ARGUMENTS` in a repository with a lock and shared code."""
    rule_runner.write_files(REPOSITORY)
    options = [*OPTIONS, "--build-ignore=build-support/experiment-template/"]
    return rule_runner.run_goal_rule(
        NewExperiment, global_args=options, args=arguments, env_inherit={"PATH", "HOME"}
    )


def written(rule_runner: RuleRunner) -> set[str]:
    source = Path(rule_runner.build_root) / "src"
    return {path.relative_to(source).as_posix() for path in source.rglob("*.*")}


def test_writes_an_experiment(rule_runner: RuleRunner) -> None:
    result = run(rule_runner, "--name=team/x")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "./pants run src/team/x:job" in result.stdout
    main = Path(rule_runner.build_root) / "src/team/x/main.py"
    assert main.read_text(encoding="utf-8") == "import team.x\n"


@pytest.mark.parametrize("origin", ["first", "src/first/"])
def test_copies_an_experiment(rule_runner: RuleRunner, origin: str) -> None:
    result = run(rule_runner, "--name=team/x", f"--from={origin}")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "./pants fmt src/team/x::" in result.stdout
    folder = Path(rule_runner.build_root) / "src/team/x"
    assert (folder / "job.yaml").read_text(encoding="utf-8") == "command: python -m team.x.main\n"
    assert (folder / "main.py").read_text(encoding="utf-8") == "from team.x import main\n"


@pytest.mark.parametrize(
    "arguments, message",
    [
        pytest.param([], "--name=my_experiment", id="no name"),
        pytest.param(["--name=My-exp"], "Write `--name=my_exp`", id="no package name"),
        pytest.param(["--name=scipy"], "module of main.lock", id="a locked package"),
        pytest.param(["--name=yaml"], "module of main.lock", id="a module with another name"),
        pytest.param(["--name=some_thing"], "module of main.lock", id="a package with a hyphen"),
        pytest.param(["--name=thing"], "module of main.lock", id="a module that a target names"),
        pytest.param(["--name=elsewhere"], "module of other", id="a module of another root"),
        pytest.param(["--name=x", "--from=frist"], "Did you mean `first`? Also", id="no origin"),
        pytest.param(["--name=x", "--from=common"], "here: `plain`, `first`", id="no experiment"),
        pytest.param(["--name=common"], "src/common exists", id="an existing folder"),
        pytest.param(["--name=common/x"], "belong to src/common:common", id="inside other code"),
    ],
)
def test_an_invalid_name_is_reported_and_nothing_is_written(
    rule_runner: RuleRunner, arguments: list[str], message: str
) -> None:
    result = run(rule_runner, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert written(rule_runner) == {"common/a.py", "first/job.yaml", "first/main.py"}


def test_a_folder_that_no_target_covers_is_free(rule_runner: RuleRunner) -> None:
    rule_runner.write_files({"src/team/BUILD": "python_sources()\n", "src/team/a.py": ""})
    assert run(rule_runner, "--name=team/x").exit_code == 0
