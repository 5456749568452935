from __future__ import annotations

import pytest
from azureml_jobs.locks.conftest import lock_text, package
from azureml_pants.code.imports import ImportErrors, ImportErrorsRequest
from azureml_pants.code.job_entry_points import JobFieldSet
from azureml_pants.job.inputs import JobInputs, JobInputsRequest
from pants.engine.addresses import Address
from pants.testutil.rule_runner import RuleRunner, logging

REPOSITORY = {
    "3rdparty/BUILD": (
        "python_requirements(name='main', source='main.txt')\n"
        "python_requirements(name='second', source='second.txt', resolve='second')\n"
    ),
    "3rdparty/main.txt": "numpy\n",
    "3rdparty/second.txt": "numpy\nPyYAML\n",
    "main.lock": lock_text([package("numpy", "2.4.6")]),
    "second.lock": lock_text([package("numpy", "2.4.6"), package("pyyaml", "6.0.3")]),
    "platform.json": "{}",
    "src/x/BUILD": "python_sources(name='lib')\nazureml_job(name='job')\n",
    "src/x/main.py": "import x.model\n",
    "src/x/unused.py": "import nobody_runs_this\n",
    "src/x/azure-ml-job.yaml": "code: ..\ncommand: python -m x.main\n",
}
IN_OWN_IMAGE = {
    "src/x/azure-ml-job.yaml": (
        "code: ..\ncommand: python -m x.main\nenvironment:\n  build:\n    path: docker\n"
    ),
    "src/x/docker/Dockerfile": "FROM scratch\n",
}


def messages(rule_runner: RuleRunner, model: str, **files: str) -> tuple[str, ...]:
    """Return the errors of `src/x:job`, which runs `src/x/main.py` and this `model.py`."""
    rule_runner.write_files({**REPOSITORY, "src/x/model.py": model, **files})
    address = Address("src/x", target_name="job")
    return rule_runner.request(
        ImportErrors, [ImportErrorsRequest((address,), is_locked=True)]
    ).messages


def starts(found: tuple[str, ...]) -> list[str]:
    return [message.partition("\n")[0] for message in found]


def test_names_the_list_for_a_package_that_the_resolve_does_not_have(
    rule_runner: RuleRunner,
) -> None:
    # Another resolve has it, which does not help.
    (message,) = messages(rule_runner, "import numpy\n\nimport yaml\n")
    assert message.startswith(
        "src/x/model.py:3: no package of the resolve `main` has the module `yaml`.\n\n"
        "Add the package (likely `pyyaml`) to 3rdparty/main.txt, then run "
        "`./pants sync-lockfiles --resolve=main`."
    )


def test_names_the_list_of_the_file_s_own_resolve(rule_runner: RuleRunner) -> None:
    build = (
        "python_sources(name='lib', resolve='second')\nazureml_job(name='job', resolve='second')"
    )
    (message,) = messages(rule_runner, "import yaml\nimport torch\n", **{"src/x/BUILD": build})
    assert "the resolve `second` has the module `torch`" in message
    assert "to 3rdparty/second.txt, then" in message


@pytest.mark.parametrize(
    "model",
    [
        pytest.param("import json, os.path\nfrom xml import etree\n", id="standard library"),
        pytest.param("import numpy.linalg as la\n", id="a locked package"),
        pytest.param("from . import unused2\n", id="a name in a package"),
        pytest.param("import gone  # pants: no-infer-dep\n", id="pragma"),
        pytest.param("try:\n    import gone\nexcept ImportError:\n    pass\n", id="weak"),
        pytest.param(
            "try:\n    import gone\nexcept ModuleNotFoundError:\n    pass\n", id="module not found"
        ),
        pytest.param("if TYPE_CHECKING:\n    import gone\n", id="for types"),
        pytest.param("import importlib\nimportlib.import_module('gone.away')\n", id="string"),
        pytest.param("import (\n", id="no Python"),
    ],
)
def test_accepts_what_runs_without_the_module(rule_runner: RuleRunner, model: str) -> None:
    assert messages(rule_runner, model, **{"src/x/__init__.py": "unused2 = 1\n"}) == ()


@pytest.mark.parametrize(
    ("listed", "missing"),
    [
        pytest.param("numpy\ntorch>=2\n", "it does not have torch>=2", id="new"),
        pytest.param("numpy>=2.5\ntorch>=2\n", "it does not have numpy>=2.5, torch>=2", id="limit"),
    ],
)
def test_reports_what_is_listed_but_not_locked_with_the_command(
    rule_runner: RuleRunner, listed: str, missing: str
) -> None:
    (message,) = messages(
        rule_runner, "import numpy\nimport torch\n", **{"3rdparty/main.txt": listed}
    )
    assert message == (
        f"main.lock: {missing}, which 3rdparty/main.txt lists.\n\n"
        "Update the lock: `./pants sync-lockfiles --resolve=main`."
    )


def test_accepts_what_is_listed_but_not_imported(rule_runner: RuleRunner) -> None:
    files = {"3rdparty/main.txt": "numpy>1; sys_platform != 'win32'\ntorch\n"}
    assert messages(rule_runner, "import numpy\n", **files) == ()


def test_checks_only_files_that_the_job_needs(rule_runner: RuleRunner) -> None:
    assert messages(rule_runner, "import numpy\n") == ()


def test_an_option_of_pants_ignores_modules(rule_runner: RuleRunner) -> None:
    rule_runner.set_options(
        [
            *rule_runner.options_bootstrapper.args[1:],
            "--python-infer-ignored-unowned-imports=['gone']",
        ],
        env_inherit={"PATH", "HOME"},
    )
    found = messages(rule_runner, "import gone.away\nimport gone_too\n")
    assert starts(found) == [
        "src/x/model.py:2: no package of the resolve `main` has the module `gone_too`."
    ]


def test_missing_code_of_the_repository_is_not_a_package(rule_runner: RuleRunner) -> None:
    found = messages(
        rule_runner,
        "import y.gone\nimport z.there\n",
        **{
            "src/y/there.py": "",
            "src/z/there.py": "",
            "src/z/BUILD": "python_sources(name='lib', resolve='second')",
        },
    )
    assert starts(found) == [
        "src/x/model.py:1: no file is the module `y.gone`.",
        "src/x/model.py:2: `z.there` is not part of the resolve `main`, but only "
        "src/z/there.py:lib.",
    ]


TWO_OWNERS = {
    "src/y/there.py": "",
    "src/y/BUILD": "python_sources(name='a')\npython_sources(name='b')\n",
}


def test_reports_two_owners_of_a_module(rule_runner: RuleRunner) -> None:
    assert starts(messages(rule_runner, "import y.there\n", **TWO_OWNERS)) == [
        "src/x/model.py:1: several targets are `y.there`: src/y/there.py:a, src/y/there.py:b."
    ]


def test_one_of_two_owners_may_be_named(rule_runner: RuleRunner) -> None:
    build = (
        "python_sources(name='lib', dependencies=['src/y/there.py:a'])\nazureml_job(name='job')\n"
    )
    files = {**TWO_OWNERS, "src/x/BUILD": build}
    assert messages(rule_runner, "import y.there\n", **files) == ()


def job_errors(rule_runner: RuleRunner, files: dict[str, str]) -> tuple[str, ...]:
    rule_runner.write_files({**REPOSITORY, **files})
    target = rule_runner.get_target(Address("src/x", target_name="job"))
    request = JobInputsRequest(JobFieldSet.create(target))
    return rule_runner.request(JobInputs, [request]).request.errors


def test_rejects_a_job_in_an_image_of_the_locked_packages(rule_runner: RuleRunner) -> None:
    files = {"src/x/model.py": "import torch\n", **IN_OWN_IMAGE}
    (error,) = job_errors(rule_runner, files)
    assert error.startswith("src/x/model.py:1: no package of the resolve `main` has the module")


@logging
def test_warns_about_a_job_in_an_environment_of_azure_ml(
    rule_runner: RuleRunner, capfd: pytest.CaptureFixture[str]
) -> None:
    files = {"src/x/model.py": "import torch\nimport y.gone\n", "src/y/there.py": ""}
    (error,) = job_errors(rule_runner, files)
    assert error.startswith("src/x/model.py:2: no file is the module `y.gone`.")
    assert (
        "src/x/model.py:1: no package of the resolve `main` has the module"
        in capfd.readouterr().err
    )
