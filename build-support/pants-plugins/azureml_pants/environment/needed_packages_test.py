from __future__ import annotations

from unittest.mock import Mock

import pytest
from azureml_pants.base.errors import PluginError
from azureml_pants.code.job_code import CheckedUnits, JobCodeRequest
from azureml_pants.environment.needed_packages import (
    NeededPackagesRequest,
    UnitPackages,
    UnitPackagesRequest,
    find_needed_packages,
)
from azureml_pants.environment.packages import LockedRequirementsRequest
from azureml_pants.image.target_types import LockedRequirementsTarget
from azureml_pants.job.target_types import AzureMLJobTarget
from pants.engine.addresses import Address, UnparsedAddressInputs
from pants.engine.target import Targets
from pants.testutil.rule_runner import MockGet, RuleRunner, run_rule_with_mocks


def needed(*packages: tuple[str, ...], errors: tuple[str, ...] = ()) -> LockedRequirementsRequest:
    """Return what is asked of the lock for jobs that import these packages."""
    fields = {"jobs": [f":job{number}" for number in range(len(packages))]}
    target = LockedRequirementsTarget(fields, Address("src/x", target_name="requirements"))
    jobs = [
        AzureMLJobTarget({"resolve": "second"}, Address("src/x", target_name=f"job{number}"))
        for number in range(len(packages))
    ]
    reached = {job.address: names for job, names in zip(jobs, packages)}
    return run_rule_with_mocks(
        find_needed_packages,
        rule_args=[
            NeededPackagesRequest(target),
            Mock(resolves={"second": "second.lock"}, enable_resolves=True),
        ],
        mock_gets=[
            MockGet(Targets, (UnparsedAddressInputs,), lambda _: Targets(jobs)),
            MockGet(
                CheckedUnits,
                (JobCodeRequest,),
                lambda request: CheckedUnits(
                    (), (), reached[request.field_set.address], ("not Python",), (), errors
                ),
            ),
        ],
    )


def test_the_lock_is_asked_for_names_of_packages_alone() -> None:
    asked = needed(("numpy",), ("mlflow-skinny", "numpy"))
    assert asked == LockedRequirementsRequest("second", ("mlflow-skinny", "numpy"))


def test_raises_the_errors_of_imports() -> None:
    with pytest.raises(PluginError, match="src/x/main.py:1: no package"):
        needed(("numpy",), errors=("src/x/main.py:1: no package",))


def test_each_command_in_an_image_has_packages_of_its_own(rule_runner: RuleRunner) -> None:
    step = "  {0}:\n    command: python {0}.py\n    code: .\n    environment: {1}\n"
    built = "{build: {path: docker}}"
    steps = [("a", built), ("b", built), ("c", "{image: ubuntu}"), ("d", "{build: {path: other}}")]
    rule_runner.write_files(
        {
            "BUILD": "python_requirement(name='one', requirements=['one'])\n"
            "python_requirement(name='two', requirements=['two'])",
            "src/x/BUILD": "azureml_job(name='job')\n"
            "locked_requirements(name='requirements', jobs=[':job'])",
            "src/x/azure-ml-job.yaml": "type: pipeline\njobs:\n"
            + "".join(step.format(*each) for each in steps),
            **{f"src/x/{name}.py": "import one" for name in "acd"},
            "src/x/b.py": "import one, two",
            "src/x/docker/Dockerfile": "FROM x\nCOPY requirements.txt .\n",
        }
    )
    target = rule_runner.get_target(Address("src/x", target_name="requirements"))
    asked = UnitPackagesRequest(target, "src/x/docker")
    found = rule_runner.request(UnitPackages, [asked]).requests
    assert {each.requirements for each in found} == {("one",), ("one", "two")}
