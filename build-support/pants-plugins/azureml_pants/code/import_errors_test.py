from __future__ import annotations

import json

import pytest
from azureml_jobs.locks.conftest import lock_text, package
from azureml_pants.code.job_code import CheckedUnits, JobFieldSet
from pants.engine.addresses import Address
from pants.testutil.rule_runner import RuleRunner

MARKERS = {"python_version": "3.11", "sys_platform": "linux", "platform_machine": "x86_64"}
LOCKED = "COPY requirements.txt .\nRUN pip install -r requirements.txt\n"
REPOSITORY = {
    "platform.json": json.dumps({"marker_environment": MARKERS}),
    "main.lock": lock_text([package("six", "1.0")]),
    "src/x/docker/Dockerfile": f"FROM python\n{LOCKED}",
    "src/x/docker/BUILD": "locked_requirements(name='r', folder='.', jobs=['src/x:job'])",
    "src/x/BUILD": "azureml_job(name='job')",
    "src/x/azure-ml-job.yaml": (
        "code: .\ncommand: python main.py\nenvironment:\n  build:\n    path: docker\n"
    ),
}


@pytest.mark.parametrize(
    "requirement, text, is_excluded",
    [
        pytest.param("six", "import six", False, id="no marker"),
        pytest.param("six; sys_platform == 'linux'", "import six", False, id="for the image"),
        pytest.param("six; sys_platform == 'win32'", "import six", True, id="another system"),
        pytest.param("six; python_version < '3.9'", "import six", True, id="an older Python"),
        pytest.param(
            "six; sys_platform == 'win32'",
            "import sys\nif sys.platform == 'win32':\n    import six",
            False,
            id="imported on that system only",
        ),
        pytest.param(
            "six; sys_platform == 'win32'",
            "try:\n    import six\nexcept ImportError:\n    six = None",
            False,
            id="optional",
        ),
    ],
)
def test_a_package_that_the_image_does_not_get_is_an_error(
    rule_runner: RuleRunner, requirement: str, text: str, is_excluded: bool
) -> None:
    rule_runner.write_files(
        {
            **REPOSITORY,
            "3rdparty/BUILD": f'python_requirement(name="six", requirements=["{requirement}"])',
            "src/x/main.py": text,
        }
    )
    target = rule_runner.get_target(Address("src/x", target_name="job"))
    found = rule_runner.request(CheckedUnits, [JobFieldSet.create(target)])
    errors = [error for error in found.errors if "the image does not get `six" in error]
    assert [error.partition(": ")[0] for error in errors] == ["src/x/main.py:1"] * is_excluded
    assert len(found.errors) == len(errors)
