from __future__ import annotations

import pytest
from azureml_jobs.locks.conftest import lock_text, package
from azureml_pants.code.import_errors import ImportErrors, MissingModules
from azureml_pants.imports.lint import FileImports, FileImportsRequest
from pants.engine.addresses import Address
from pants.testutil.rule_runner import RuleRunner

REPOSITORY = {
    "3rdparty/BUILD": (
        "python_requirements(name='main', source='main.txt')\n"
        "python_requirements(name='second', source='second.txt', resolve='second')\n"
    ),
    "3rdparty/main.txt": "numpy\n",
    "3rdparty/second.txt": "numpy\nPyYAML\n",
    "main.lock": lock_text([package("numpy", "2.4.6")]),
    "src/x/utils.py": "",
    "src/x/job/utils.py": "",
    "src/common/tool.py": "",
    "other/lib/__init__.py": "",
    "src/x/BUILD": "azureml_job(name='job')",
    "src/x/azure-ml-job.yaml": "code: code\ncommand: python train.py\n",
    "src/x/code/of_the_job.py": "",
}


def missing(rule_runner: RuleRunner, text: str, resolve: str = "main") -> tuple[str, ...]:
    """Return the errors of `src/x/job/main.py`."""
    rule_runner.write_files({**REPOSITORY, "src/x/job/main.py": text})
    asked = FileImportsRequest(Address("src/x"), "src/x/job/main.py", resolve)
    found = rule_runner.request(FileImports, [asked])
    return rule_runner.request(ImportErrors, [MissingModules(found.missing, resolve)]).messages


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("import utils", id="next to the file"),
        pytest.param("import job.utils, x.utils, common.tool, lib", id="from folders above"),
        pytest.param("from . import utils", id="relative"),
        pytest.param("import of_the_job", id="from the folder of a job"),
        pytest.param("import numpy.linalg", id="a package"),
        pytest.param("try:\n    import gone\nexcept ImportError:\n    pass", id="optional"),
    ],
)
def test_an_import_is_fine_wherever_the_file_may_run(rule_runner: RuleRunner, text: str) -> None:
    assert missing(rule_runner, text) == ()


def test_names_the_list_of_the_file_s_own_resolve(rule_runner: RuleRunner) -> None:
    # Another resolve has it, which does not help.
    (message,) = missing(rule_runner, "import numpy\n\nimport yaml\n")
    assert message.startswith(
        "src/x/job/main.py:3: no package of the resolve `main` has the module `yaml`.\n\n"
        "Add the package (likely `pyyaml`) to 3rdparty/main.txt, then run "
        "`./pants sync-lockfiles --resolve=main`."
    )
    assert missing(rule_runner, "import yaml\n", "second") == ()


def test_missing_code_of_the_repository_is_not_a_package(rule_runner: RuleRunner) -> None:
    (message,) = missing(rule_runner, "import lib.gone\n")
    assert message == (
        "src/x/job/main.py:1: no file is the module `lib.gone`.\n\n"
        "Check the name: `lib` is other/lib/__init__.py."
    )
