"""Scripts and tests of an experiment find what its job finds."""

from __future__ import annotations

import pytest
from azureml_pants.code.command_targets import LocalCode, LocalFieldSet
from azureml_pants.code.loaded_code import CheckedCode, CheckedCodeRequest
from azureml_pants.script.experiment_tests import SearchPathSetup, TestFieldSet, conftest
from pants.backend.python.goals.pytest_runner import PytestPluginSetup
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import DigestContents
from pants.engine.target import Dependencies, DependenciesRequest
from pants.testutil.rule_runner import RuleRunner

EXPERIMENT = {
    "main.lock": '{"locked_resolves": [], "requirements": []}',
    "src/x/BUILD": """
python_sources(name='lib', sources=['**/*.py', '!**/test_*.py'])
python_tests(name='tests', sources=['tests/test_*.py'])
azureml_job(name='job')
azureml_local(name='local', dependencies=[':job'])
""",
    "src/x/azure-ml-job.yaml": "code: src\ncommand: python main.py\n",
    "src/x/src/main.py": "from helper import f",
    "src/x/src/helper.py": "import deep",
    "src/x/src/deep.py": "",
    "src/x/local.py": "import beside, common.figures\nfrom helper import f",
    "src/x/beside.py": "",
    "src/x/tests/test_main.py": "from main import f\nimport data",
    "src/x/tests/data.py": "",
    "src/common/figures.py": "",
    # The modules of one name that no file of the experiment means.
    "src/y/helper.py": "",
    "src/helper.py": "",
}


def local(rule_runner: RuleRunner, files: dict[str, str]) -> tuple[LocalCode, CheckedCode]:
    rule_runner.write_files(files)
    target = rule_runner.get_target(Address("src/x", target_name="local"))
    code = rule_runner.request(LocalCode, [LocalFieldSet.create(target)])
    checked = rule_runner.request(CheckedCode, [CheckedCodeRequest(code.code.request, True)])
    return code, checked


def test_a_script_imports_from_its_own_folder_and_from_those_of_the_job(
    rule_runner: RuleRunner,
) -> None:
    code, checked = local(rule_runner, EXPERIMENT)
    assert checked.errors == ()
    assert code.code.search_path == ("x", "x/src", "")
    assert {file.name: file.path for file in checked.files} == {
        "common/figures.py": "src/common/figures.py",
        **{
            f"x/{name}": f"src/x/{name}"
            for name in ("beside.py", "local.py", "src/deep.py", "src/helper.py", "src/main.py")
        },
    }


def test_reports_a_script_that_does_not_exist(rule_runner: RuleRunner) -> None:
    files = {path: text for path, text in EXPERIMENT.items() if path != "src/x/local.py"}
    code, _ = local(rule_runner, files)
    assert (code.point.error or "").startswith("src/x:local: entry_point: there is no file local")


def test_reports_a_module_that_a_script_lacks(rule_runner: RuleRunner) -> None:
    _, checked = local(rule_runner, {**EXPERIMENT, "src/x/local.py": "import gone"})
    (error,) = checked.errors
    assert error.startswith("src/x/local.py:1: no package of the resolve `main` has the module")


TEST = Address("src/x", target_name="tests", relative_file_path="tests/test_main.py")


def test_a_test_depends_on_what_it_loads(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(EXPERIMENT)
    field = rule_runner.get_target(TEST)[Dependencies]
    found = {str(each) for each in rule_runner.request(Addresses, [DependenciesRequest(field)])}
    assert found == {
        *("src/x/src/main.py:../lib", "src/x/src/helper.py:../lib", "src/x/src/deep.py:../lib"),
        "src/x/tests/data.py:../lib",
    }


@pytest.mark.parametrize(
    "own, expected",
    [
        pytest.param([], "src/x/conftest.py", id="in the folder of the BUILD file"),
        pytest.param(["src/x/conftest.py"], "src/conftest.py", id="above one that exists"),
    ],
)
def test_a_test_imports_from_its_own_folder_and_from_those_of_the_job(
    rule_runner: RuleRunner, own: list[str], expected: str
) -> None:
    rule_runner.write_files({**EXPERIMENT, **dict.fromkeys(own, "")})
    target = rule_runner.get_target(TEST)
    assert TestFieldSet.is_applicable(target)
    setup = rule_runner.request(PytestPluginSetup, [SearchPathSetup(target)])
    (file,) = rule_runner.request(DigestContents, [setup.digest])
    folders = ("src/x/tests", *(["src/x"] if own else []), "src/x/src")
    assert (file.path, file.content) == (expected, conftest(folders))


def test_tests_without_a_job_stay_as_they_are(rule_runner: RuleRunner) -> None:
    build = "python_tests(name='tests', sources=['tests/test_*.py'])"
    rule_runner.write_files({**EXPERIMENT, "src/x/BUILD": build})
    target = rule_runner.get_target(TEST)
    setup = rule_runner.request(PytestPluginSetup, [SearchPathSetup(target)])
    assert setup == PytestPluginSetup()
