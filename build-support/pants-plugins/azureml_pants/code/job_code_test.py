"""A job is sent what Python would import, in the layout that its snapshot has."""

from __future__ import annotations

from textwrap import dedent

import pytest
from azureml_jobs.locks.conftest import lock_text, package
from azureml_pants.code.job_code import CheckedUnits, JobFieldSet
from pants.engine.addresses import Address
from pants.testutil.rule_runner import RuleRunner

BUILD = "python_sources(name='lib', sources=['**/*.py'])\nazureml_job(name='job')\n"
LOCKED = ("matplotlib", "numpy", "torch", "types-pyyaml", "utils")
REPOSITORY = {
    "platform.json": "{}",
    "main.lock": lock_text([package(name, "3.0") for name in LOCKED]),
    "3rdparty/BUILD": dedent("""
        python_requirement(name='numpy', requirements=['numpy'])
        python_requirement(name='utils', requirements=['utils'])
        python_requirement(name='torch', requirements=['torch'])
        python_requirement(name='stubs', requirements=['types-PyYAML'])
        """),
}


def check(rule_runner: RuleRunner, files: dict[str, str], job: str = "src/x:job") -> CheckedUnits:
    rule_runner.write_files({**REPOSITORY, **files})
    folder, _, name = job.partition(":")
    target = rule_runner.get_target(Address(folder, target_name=name))
    return rule_runner.request(CheckedUnits, [JobFieldSet.create(target)])


def experiment(command: str, code: str = ".", **files: str) -> dict[str, str]:
    """Return an experiment in `src/x` whose job runs `command`, with more files in there."""
    return {
        "src/x/BUILD": BUILD,
        "src/x/azure-ml-job.yaml": f"code: {code}\ncommand: {command}\n",
        **{f"src/x/{path}": text for path, text in files.items()},
    }


def sent(found: CheckedUnits) -> dict[str, str]:
    assert found.errors == ()
    return {file.name: file.path for file in found.files}


@pytest.mark.parametrize(
    "command, code, files, expected",
    [
        pytest.param(
            "python main.py",
            ".",
            {"main.py": "import utils", "utils.py": "import tools", "tools/__init__.py": ""},
            {"main.py", "utils.py", "tools/__init__.py"},
            id="next to the script",
        ),
        pytest.param(
            "python main.py",
            "src",
            {"src/main.py": "from helper import f", "src/helper.py": "f = 1"},
            {"main.py", "helper.py"},
            id="a folder src",
        ),
        pytest.param(
            "cd src && python -m pkg",
            ".",
            {"src/pkg/__main__.py": "import pkg.a, b", "src/pkg/a.py": "", "src/b.py": ""},
            {"src/pkg/__main__.py", "src/pkg/a.py", "src/b.py"},
            id="after a cd",
        ),
        pytest.param(
            "PYTHONPATH=src python -m pkg.train",
            ".",
            {"src/pkg/train.py": "from pkg import a", "src/pkg/a.py": ""},
            {"src/pkg/train.py", "src/pkg/a.py"},
            id="with a PYTHONPATH",
        ),
        pytest.param(
            "python -m x.main",
            "..",
            {"main.py": "import x.utils", "utils.py": "", "__init__.py": ""},
            {"x/main.py", "x/utils.py", "x/__init__.py"},
            id="a module below the source root",
        ),
        pytest.param(
            "python main.py",
            "'b[1'",
            {"b[1/main.py": "import c", "b[1/c.py": ""},
            {"main.py", "c.py"},
            id="a folder whose name would be a pattern",
        ),
    ],
)
def test_sends_what_python_imports(
    rule_runner: RuleRunner, command: str, code: str, files: dict[str, str], expected: set[str]
) -> None:
    assert set(sent(check(rule_runner, experiment(command, code, **files)))) == expected


def test_a_job_works_outside_of_every_source_root(rule_runner: RuleRunner) -> None:
    files = {
        "jobs/a/BUILD": BUILD,
        "jobs/a/azure-ml-job.yaml": "code: src\ncommand: python train.py\n",
        "jobs/a/src/train.py": "import utils\nimport common.figures\n",
        "jobs/a/src/utils.py": "",
        "src/common/figures.py": "",
    }
    assert sent(check(rule_runner, files, "jobs/a:job")) == {
        "train.py": "jobs/a/src/train.py",
        "utils.py": "jobs/a/src/utils.py",
        "common/figures.py": "src/common/figures.py",
    }


def test_two_experiments_have_modules_of_one_name(rule_runner: RuleRunner) -> None:
    files = {
        f"src/{name}/{path}": text
        for name in "xy"
        for path, text in experiment(
            "python main.py", **{"main.py": "import utils", "utils.py": ""}
        ).items()
        for path in [path.removeprefix("src/x/")]
    }
    for name in "xy":
        assert sent(check(rule_runner, files, f"src/{name}:job")) == {
            "main.py": f"src/{name}/main.py",
            "utils.py": f"src/{name}/utils.py",
        }


def test_a_file_goes_before_shared_code_and_before_packages(rule_runner: RuleRunner) -> None:
    files = experiment("python main.py", **{"main.py": "import utils", "utils.py": ""})
    found = check(rule_runner, {**files, "src/utils.py": "", "src/BUILD": "python_sources()"})
    assert sent(found)["utils.py"] == "src/x/utils.py"
    assert found.requirements == ()


def test_files_decide_and_not_their_targets(rule_runner: RuleRunner) -> None:
    build = "python_sources(name='a')\npython_sources(name='b')\nazureml_job(name='job')\n"
    files = experiment("python main.py", **{"main.py": "import utils, un", "utils.py": ""})
    found = check(rule_runner, {**files, "src/x/BUILD": build, "src/un/__init__.py": ""})
    owners = {file.path: file.owner for file in found.files}
    assert owners == {
        "src/x/main.py": "src/x/main.py:a",
        "src/x/utils.py": "src/x/utils.py:a",
        "src/un/__init__.py": "",
    }


@pytest.mark.parametrize("kind", ["resource", "file", "shell_source"])
@pytest.mark.parametrize("declared_by", ["the code", "the job"])
def test_sends_what_is_declared(rule_runner: RuleRunner, kind: str, declared_by: str) -> None:
    code, job = ([":a"], []) if declared_by == "the code" else ([], [":a"])
    build = dedent(f"""
        python_sources(name='lib', overrides={{'main.py': {{'dependencies': {code}}}}})
        azureml_job(name='job', dependencies={job})
        {kind}(name='a', source='conf/a.yaml', dependencies=['3rdparty:torch'])
        """)
    files = experiment(
        "python main.py", **{"main.py": "", "conf/a.yaml": "", "conf/b.yaml": "", "BUILD": build}
    )
    found = check(rule_runner, files)
    assert set(sent(found)) == {"main.py", "conf/a.yaml"}
    assert found.requirements == ("torch",)


def test_follows_the_imports_of_declared_code(rule_runner: RuleRunner) -> None:
    build = "python_sources(name='lib')\nazureml_job(name='job', dependencies=[':lib'])\n"
    plugin = {"plugin.py": "import numpy, common.deep", "main.py": "", "BUILD": build}
    files = experiment("python main.py", **plugin)
    found = check(rule_runner, {**files, "src/common/deep.py": ""})
    assert set(sent(found)) == {"main.py", "plugin.py", "common/deep.py"}
    assert found.requirements == ("numpy",)


def test_sends_generated_files(rule_runner: RuleRunner) -> None:
    build = dedent("""
        python_sources(name='lib')
        azureml_job(name='job', dependencies=[':moved'])
        file(name='a', source='made/a.py')
        relocated_files(name='moved', files_targets=[':a'], src='src/x/made', dest='src/x/etc')
        """)
    files = experiment(
        "python main.py", **{"main.py": "import etc.a", "made/a.py": "import b", "b.py": ""}
    )
    assert set(sent(check(rule_runner, {**files, "src/x/BUILD": build}))) == {
        *("main.py", "etc/a.py", "b.py")
    }


@pytest.mark.parametrize(
    "value", ["extra.py", "x/extra.py", "x.extra"], ids=["by BUILD", "by code", "a module"]
)
def test_the_entry_point_field_adds_to_the_command(rule_runner: RuleRunner, value: str) -> None:
    build = f"python_sources(name='lib')\nazureml_job(name='job', entry_point='{value}')"
    files = {"main.py": "", "extra.py": "import x.more", "more.py": "", "BUILD": build}
    found = check(rule_runner, experiment("python -m x.main", "..", **files))
    assert set(sent(found)) == {"x/main.py", "x/extra.py", "x/more.py"}


def test_collects_requirements_with_their_versions(rule_runner: RuleRunner) -> None:
    listed = dedent("""
        python_requirement(
            name='m',
            requirements=["matplotlib[tk]>=3; python_version >= '3.8'"],
            dependencies=['3rdparty:torch'],
        )
        python_requirement(name='n2', requirements=['numpy==1'], resolve='second')
        """)
    code = "import json\nimport matplotlib\nfrom numpy import linalg\n"
    files = experiment("python main.py", **{"main.py": code, "unused.py": "import pandas"})
    found = check(rule_runner, {**files, "BUILD": listed})
    assert found.errors == ()
    assert found.requirements == (
        'matplotlib[tk]>=3; python_version >= "3.8"',
        "numpy",
        "torch",
    )


@pytest.mark.parametrize(
    "command, requirement",
    [
        pytest.param("python -m torch.distributed.run main.py", "torch", id="a launcher"),
        pytest.param("python -c 'import numpy'", "numpy", id="a line of code"),
    ],
)
def test_a_module_of_a_package_that_the_command_runs_is_needed(
    rule_runner: RuleRunner, command: str, requirement: str
) -> None:
    found = check(rule_runner, experiment(command, **{"main.py": ""}))
    assert (found.errors, found.requirements) == ((), (requirement,))


IN_OWN_IMAGE = {"Dockerfile": "COPY requirements.txt .\n"}
ENVIRONMENT = "\nenvironment:\n  build:\n    path: docker\n"


def missing(
    rule_runner: RuleRunner, code: str, docker: dict[str, str] | None = None, command: str = ""
) -> CheckedUnits:
    """Check a job that runs this code, in an image with this build context or in a curated one."""
    files = experiment(command or "python main.py", **{"main.py": code})
    if docker is not None:
        files["src/x/azure-ml-job.yaml"] += ENVIRONMENT
        files.update({f"src/x/docker/{name}": text for name, text in docker.items()})
    return check(rule_runner, files)


def test_a_missing_package_is_an_error_where_the_image_is_built_from_the_lock(
    rule_runner: RuleRunner,
) -> None:
    (error,) = missing(rule_runner, "import numpy\n\nimport lightgbm\n", IN_OWN_IMAGE).errors
    assert error.startswith(
        "src/x/main.py:3: no package of the resolve `main` has the module `lightgbm`.\n\nAdd the"
    )


@pytest.mark.parametrize(
    "docker, command",
    [
        pytest.param(None, "", id="in a curated environment"),
        pytest.param({"Dockerfile": "RUN pip install lightgbm"}, "", id="in an image of its own"),
        pytest.param(
            {**IN_OWN_IMAGE, "requirements.txt": "lightgbm"}, "", id="with requirements of its own"
        ),
        pytest.param(
            IN_OWN_IMAGE, "pip install lightgbm && python main.py", id="when the command installs"
        ),
    ],
)
def test_a_package_that_may_be_there_is_a_warning(
    rule_runner: RuleRunner, docker: dict[str, str] | None, command: str
) -> None:
    found = missing(rule_runner, "import lightgbm\n", docker, command)
    assert found.errors == ()
    (warning,) = (text for text in found.warnings if "lightgbm" in text)
    assert warning.startswith("src/x/main.py:1: no package of the resolve `main` has the module")


@pytest.mark.parametrize(
    "code, docker, is_error",
    [
        ("def f(:", None, True),
        ("type X = int", IN_OWN_IMAGE, True),
        ("type X = int", None, False),
    ],
    ids=["of no Python", "of a newer Python than the image's", "of an image that nobody knows"],
)
def test_refuses_what_the_python_of_the_job_cannot_compile(
    rule_runner: RuleRunner, code: str, docker: dict[str, str] | None, is_error: bool
) -> None:
    found = missing(rule_runner, code, docker)
    (message,) = found.errors if is_error else found.warnings
    assert message.startswith("src/x/main.py:1: this is not valid Python")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import json, os.path\nfrom xml import etree\n", id="standard library"),
        pytest.param("import numpy.linalg as la\n", id="a locked package"),
        pytest.param("import gone  # pants: no-infer-dep\n", id="pragma"),
        pytest.param("try:\n    import gone\nexcept ImportError:\n    pass\n", id="optional"),
        pytest.param(
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import gone\n", id="for types"
        ),
    ],
)
def test_accepts_what_runs_without_the_module(rule_runner: RuleRunner, code: str) -> None:
    assert missing(rule_runner, code, IN_OWN_IMAGE).errors == ()


def test_type_stubs_are_no_package(rule_runner: RuleRunner) -> None:
    (error,) = missing(rule_runner, "import yaml", IN_OWN_IMAGE).errors
    assert "has the module `yaml`" in error and "(likely `pyyaml`)" in error


def test_a_listed_package_with_another_name_gets_the_line_to_write(
    rule_runner: RuleRunner,
) -> None:
    rule_runner.write_files(
        {
            "lists/BUILD": "package_list(name='tables', source='list.txt')",
            "lists/list.txt": "azure-data-tables",
        }
    )
    code = "from azure.data.tables import TableClient"
    (error,) = missing(rule_runner, code, IN_OWN_IMAGE).errors
    assert (
        '`"azure-data-tables": ["azure.data.tables"]` into `module_mapping` in lists/BUILD' in error
    )


def test_an_option_of_pants_ignores_modules(rule_runner: RuleRunner) -> None:
    rule_runner.set_options(
        [
            *rule_runner.options_bootstrapper.args[1:],
            "--python-infer-ignored-unowned-imports=['gone']",
        ],
        env_inherit={"PATH", "HOME"},
    )
    (error,) = missing(rule_runner, "import gone.away\nimport gone_too\n", IN_OWN_IMAGE).errors
    assert error.startswith("src/x/main.py:2: no package")


def test_a_package_for_types_alone_is_needed_if_it_is_listed(rule_runner: RuleRunner) -> None:
    code = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n"
    assert missing(rule_runner, code).requirements == ("torch",)


def test_code_that_the_layout_cannot_import_is_an_error_everywhere(
    rule_runner: RuleRunner,
) -> None:
    files = {"main.py": "from x.utils import f", "utils.py": "f = 1"}
    found = check(rule_runner, experiment("python main.py", "..", **files))
    (error,) = found.errors
    assert "x/azure-ml-job.yaml: command: " in error


@pytest.mark.parametrize(
    ("listed", "lacking"),
    [
        pytest.param("numpy\ntorch>=2\n", "it does not have torch>=2", id="new"),
        pytest.param("numpy>=2.5\ntorch>=2\n", "it does not have numpy>=2.5, torch>=2", id="limit"),
    ],
)
def test_reports_what_is_listed_but_not_locked_with_the_command(
    rule_runner: RuleRunner, listed: str, lacking: str
) -> None:
    files = {
        **experiment("python main.py", **{"main.py": "import numpy, torch"}),
        "3rdparty/BUILD": "python_requirements(name='main', source='main.txt')\n",
        "3rdparty/main.txt": listed,
        "main.lock": lock_text([package("numpy", "2.4.6")]),
    }
    (message,) = check(rule_runner, files).errors
    assert message == (
        f"main.lock: {lacking}, which 3rdparty/main.txt lists.\n\n"
        "Update the lock: `./pants sync-lockfiles --resolve=main`."
    )


def test_credentials_of_requirements_and_locks_are_errors_and_not_shown(
    rule_runner: RuleRunner,
) -> None:
    build = "python_requirement(name='six', requirements=['six @ git+https://token@example.org'])"
    address = {"algorithm": "sha256", "hash": "00", "url": "https://token@example.org/six.whl"}
    files = {
        **experiment("python main.py", **{"main.py": "import six"}),
        "3rdparty/BUILD": build,
        "main.lock": lock_text([package("six", "1.0", artifacts=[address])]),
    }
    errors = check(rule_runner, files).errors
    assert [error.partition(" `")[0] for error in errors[:2]] == ["3rdparty:six:", "main.lock:11:"]
    assert all("has credentials" in error for error in errors[:2]) and "token" not in str(errors)


def test_code_in_git_is_left_to_azure_ml(rule_runner: RuleRunner) -> None:
    found = check(rule_runner, experiment("python train.py", "git+https://example.org/a.git"))
    assert (found.errors, found.files, found.warnings) == ((), (), ())
