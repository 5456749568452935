from __future__ import annotations

import pytest
from azureml_pants.environment.needed_packages import UnitPackages, UnitPackagesRequest
from pants.engine.addresses import Address
from pants.engine.internals.scheduler import ExecutionError
from pants.testutil.rule_runner import RuleRunner


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


@pytest.mark.parametrize(
    "jobs, expected",
    [
        ("[]", "src/x:requirements: jobs: it names no job"),
        ("[':job', ':code']", "src/x:requirements: jobs: src/x:code is no job"),
    ],
)
def test_names_what_is_no_job_of_an_image(
    rule_runner: RuleRunner, jobs: str, expected: str
) -> None:
    rule_runner.write_files(
        {
            "src/x/BUILD": "azureml_job(name='job')\npython_sources(name='code')\n"
            f"locked_requirements(name='requirements', jobs={jobs})",
            "src/x/azure-ml-job.yaml": "command: python a.py\ncode: .\nenvironment: a:1\n",
            "src/x/a.py": "",
        }
    )
    target = rule_runner.get_target(Address("src/x", target_name="requirements"))
    with pytest.raises(ExecutionError, match=expected):
        rule_runner.request(UnitPackages, [UnitPackagesRequest(target, "src/x/docker")])
