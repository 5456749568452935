"""What jobs send is gathered with the reason for each file."""

from __future__ import annotations

from azureml_jobs.imports.result import chain_to
from azureml_jobs.protocol import WhyRequest
from pants.testutil.rule_runner import RuleRunner


def test_gathers_the_files_of_each_job_with_what_is_the_reason(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(
        {
            "platform.json": '{"python_version": "3.11"}',
            "src/x/BUILD": "python_sources(dependencies=[':names'])\n"
            "files(name='names', sources=['*.txt'])\nazureml_job(name='job')\n",
            "src/x/azure-ml-job.yaml": "command: bash run.sh\ncode: .\n",
            "src/x/run.sh": "python main.py",
            "src/x/main.py": "from shared import model",
            "src/x/names.txt": "",
            "src/shared/model.py": "",
            "src/y/BUILD": "azureml_job(name='job')\n",
            "src/y/azure-ml-job.yaml": "command: [",
        }
    )
    found = rule_runner.request(WhyRequest, [])
    assert found.python == (3, 11) and found.source_roots == ("src",)
    valid, wrong = found.jobs
    assert (valid.address, wrong.units) == ("src/x:job", ()) and "YAML" in wrong.errors[0]
    (unit,) = valid.units
    chains = {
        file.path: [each.why for each in chain_to(file.path, unit.files)] for file in unit.files
    }
    started = ["run by the command", "run by src/x/run.sh"]
    assert chains == {
        "src/x/run.sh": started[:1],
        "src/x/main.py": started,
        "src/shared/model.py": [*started, "imported by src/x/main.py:1"],
        "src/x/names.txt": [*started, "declared by src/x/main.py"],
    }
