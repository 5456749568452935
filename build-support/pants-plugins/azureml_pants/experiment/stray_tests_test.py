from __future__ import annotations

import pytest
from azureml_pants.conftest import OPTIONS
from azureml_pants.experiment.stray_tests import stray_test
from pants.core.goals.lint import Lint
from pants.testutil.rule_runner import RuleRunner

TEST = "def test_a():\n    pass\n"


@pytest.mark.parametrize(
    "path, text, build, is_reported",
    [
        pytest.param("src/x/test_a.py", TEST, "folder_tests()", False, id="run"),
        pytest.param("src/x/test_a.py", TEST, "python_tests()", False, id="run by Pants' own kind"),
        pytest.param("src/x/test_a.py", TEST, "", True, id="no target"),
        pytest.param("src/x/test_[a].py", TEST, "", True, id="a name that would be a pattern"),
        pytest.param("src/x/a_test.py", TEST, "python_sources(sources=['*'])", True, id="as code"),
        pytest.param("src/x/test_a.py", "    async def test_a(self):\n", "", True, id="a method"),
        pytest.param("src/x/test_a.py", "print(1)\n", "", False, id="no tests in it"),
        pytest.param("src/x/latest.py", TEST, "", False, id="another name"),
    ],
)
def test_a_test_that_nothing_runs_is_reported(
    rule_runner: RuleRunner, path: str, text: str, build: str, is_reported: bool
) -> None:
    rule_runner.write_files({path: text, "src/x/BUILD": build})
    result = rule_runner.run_goal_rule(Lint, global_args=OPTIONS, args=["--only=stray-tests", "::"])
    assert result.exit_code == int(is_reported)


def test_the_report_says_what_to_write() -> None:
    assert 'Write `folder_tests(name="tests")` in src/x/BUILD' in str(stray_test("src/x/test_a.py"))
