from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from azureml_jobs.protocol import JobRequest, NeededFile
from azureml_pants.code.job_code import JobFieldSet
from azureml_pants.conftest import OPTIONS
from azureml_pants.job.inputs import JobInputs
from azureml_pants.job_tool.message import request_file
from pants.engine.addresses import Address
from pants.engine.fs import DigestContents, FileContent
from pants.testutil.rule_runner import RuleRunner
from pants.version import VERSION

LOCK = '{"locked_resolves": [], "requirements": []}'
EXPERIMENT = {
    "main.lock": LOCK,
    "platform.json": "{}",
    "src/x/BUILD": "python_sources(name='lib')\nazureml_job(name='job')\n",
    "src/x/azure-ml-job.yaml": "code: ..\ncommand: python -m x.main\n",
    "src/x/main.py": "",
}


def gather(rule_runner: RuleRunner, files: dict[str, str]) -> JobInputs:
    """What the job tool is given for `src/x:job`, in a repository of these files."""
    rule_runner.write_files(files)
    target = rule_runner.get_target(Address("src/x", target_name="job"))
    field_set = JobFieldSet.create(target)
    return rule_runner.request(JobInputs, [field_set])


def contents(rule_runner: RuleRunner, inputs: JobInputs) -> dict[str, str]:
    found = rule_runner.request(DigestContents, [inputs.digest])
    return {file.path: file.content.decode() for file in found}


def test_holds_the_code_the_job_file_and_the_requirements(rule_runner: RuleRunner) -> None:
    inputs = gather(rule_runner, EXPERIMENT)
    assert contents(rule_runner, inputs) == {
        "requirements/job.txt": "",
        "sources/src/x/azure-ml-job.yaml": EXPERIMENT["src/x/azure-ml-job.yaml"],
        "sources/src/x/main.py": "",
    }


def test_the_request_names_what_the_digest_holds(rule_runner: RuleRunner) -> None:
    request = gather(rule_runner, EXPERIMENT).request
    assert request.address == "src/x:job"
    assert request.job_file == "src/x/azure-ml-job.yaml"
    assert request.documents == ("src/x/azure-ml-job.yaml",)
    (unit,) = request.units
    assert unit.files == (
        NeededFile("src/x/main.py", "x/main.py", "src/x/main.py:lib", "run by the command"),
    )
    assert unit.context_files == ()
    assert unit.venv is None
    assert request.errors == ()
    assert request.versions["pants"] == VERSION
    assert request.versions["pex"][0].isdigit()
    assert unit.packages.lock == "main.lock"
    assert unit.packages.lock_digest == hashlib.sha256(LOCK.encode()).hexdigest()
    assert unit.packages.requirements == ()


def test_names_what_decides_the_packages(rule_runner: RuleRunner) -> None:
    listed = {"3rdparty/BUILD": "python_requirements()", "3rdparty/requirements.txt": "numpy"}
    request = gather(rule_runner, {**EXPERIMENT, **listed}).request
    assert request.deciding_files == ("3rdparty/requirements.txt", "platform.json")
    assert request.versions["python"] == "{}.{}".format(*sys.version_info)


def test_the_request_has_what_the_guard_lets_pass(rule_runner: RuleRunner) -> None:
    allow = "--azureml-allow=['src/x/a.json', '/mnt/data']"
    rule_runner.set_options([*OPTIONS, allow], env_inherit={"PATH", "HOME"})
    assert gather(rule_runner, EXPERIMENT).request.allow == ("src/x/a.json", "/mnt/data")


def test_the_job_tool_reads_the_same_request(rule_runner: RuleRunner, tmp_path: Path) -> None:
    request = gather(rule_runner, EXPERIMENT).request
    (file,) = request_file(request)
    assert isinstance(file, FileContent)
    path = tmp_path / file.path
    path.write_bytes(file.content)
    assert JobRequest.read(path) == request


def test_the_job_file_of_a_target_may_have_any_name_and_folder(rule_runner: RuleRunner) -> None:
    files = {
        **EXPERIMENT,
        "src/x/BUILD": "python_sources(name='lib')\n"
        "azureml_job(name='job', source='jobs/small.yml')\n",
        "src/x/jobs/small.yml": "code: ../..\ncommand: python -m x.main\n",
    }
    inputs = gather(rule_runner, files)
    assert inputs.request.errors == ()
    assert inputs.request.job_file == "src/x/jobs/small.yml"
    assert "sources/src/x/jobs/small.yml" in contents(rule_runner, inputs)


def test_holds_the_docker_context_without_build_files(rule_runner: RuleRunner) -> None:
    files = {
        **EXPERIMENT,
        "src/x/azure-ml-job.yaml": "command: ls\nenvironment:\n  build:\n    path: ../images/gpu\n",
        "src/images/gpu/Dockerfile": "FROM scratch\n",
        "src/images/gpu/.dockerignore": "",
        "src/images/gpu/BUILD": "",
        "src/images/gpu/BUILD.pants": "",
        "src/images/gpu/etc/BUILD": "",
        "src/images/gpu/etc/a.conf": "",
        "src/images/cpu/Dockerfile": "",
    }
    inputs = gather(rule_runner, files)
    assert inputs.request.units[0].context_files == (
        "src/images/gpu/.dockerignore",
        "src/images/gpu/Dockerfile",
        "src/images/gpu/etc/a.conf",
    )
    assert set(contents(rule_runner, inputs)) == {
        "requirements/job.txt",
        "sources/src/x/azure-ml-job.yaml",
        *(f"sources/{path}" for path in inputs.request.units[0].context_files),
    }


def test_holds_the_conda_file(rule_runner: RuleRunner) -> None:
    job_file = "command: ls\nenvironment:\n  image: ubuntu\n  conda_file: conda.yaml\n"
    files = {**EXPERIMENT, "src/x/azure-ml-job.yaml": job_file, "src/x/conda.yaml": "name: x\n"}
    inputs = gather(rule_runner, files)
    assert inputs.request.units[0].context_files == ("src/x/conda.yaml",)
    assert contents(rule_runner, inputs)["sources/src/x/conda.yaml"] == "name: x\n"


@pytest.mark.parametrize(
    "build, job_file, expected",
    [
        pytest.param(
            "azureml_job(name='job')",
            "command: [",
            ["src/x/azure-ml-job.yaml: line 2, column 1: not valid YAML"],
            id="broken YAML",
        ),
        pytest.param(
            "azureml_job(name='job')",
            "command: python a.py && python x/b.py",
            [
                "src/x/azure-ml-job.yaml: command: it runs a.py, which does not exist.",
                "src/x/azure-ml-job.yaml: command: it runs x/b.py, which does not exist.",
            ],
            id="files that do not exist",
        ),
        pytest.param(
            "azureml_job(name='job', entry_point='gone.py')",
            "command: ls",
            ["src/x:job: entry_point: there is no file gone.py."],
            id="an entry point that does not exist",
        ),
        pytest.param(
            "azureml_job(name='job', entry_point='gone.py')",
            "[]",
            ["src/x/azure-ml-job.yaml: not a job file"],
            id="no job file",
        ),
    ],
)
def test_collects_nothing_for_a_job_with_errors(
    rule_runner: RuleRunner, build: str, job_file: str, expected: list[str]
) -> None:
    # Neither a lock nor a description of the images' Python is here: they are not asked for.
    files = {"src/x/BUILD": dedent(build), "src/x/azure-ml-job.yaml": job_file}
    inputs = gather(rule_runner, files)
    assert len(inputs.request.errors) == len(expected)
    for error, start in zip(inputs.request.errors, expected):
        assert error.startswith(start)
    assert contents(rule_runner, inputs) == {}


@pytest.mark.parametrize(
    ("folder", "root", "expected"),
    [
        ("src/x", "./docker", "src/x:env"),
        ("src", "src/x/docker", "src:env"),
        ("other", "src/x/docker", "other:env"),
        ("src/x", "./other", None),
    ],
)
def test_the_image_of_a_context_is_what_builds_from_it(
    rule_runner: RuleRunner, folder: str, root: str, expected: str | None
) -> None:
    image = f"docker_image(name='env', source=None, instructions=['FROM x'], context_root='{root}')"
    files = {**EXPERIMENT, "src/x/docker/Dockerfile": "FROM x"}
    files["src/x/azure-ml-job.yaml"] += "environment: {build: {path: docker}}\n"
    files[f"{folder}/BUILD"] = f"{files.get(f'{folder}/BUILD', '')}{image}\n"
    (unit,) = gather(rule_runner, files).request.units
    assert unit.image_target == expected


def test_each_unit_has_its_own_files_and_packages(rule_runner: RuleRunner) -> None:
    step = "type: command\n    code: {0}\n    command: python main.py"
    jobs = "".join(f"  {name}:\n    {step.format(name)}\n" for name in ("a", "b"))
    files = {
        **EXPERIMENT,
        "src/x/BUILD": "azureml_job(name='job')",
        "src/x/azure-ml-job.yaml": f"type: pipeline\njobs:\n{jobs}",
        "src/x/a/main.py": "import utils",
        "src/x/a/utils.py": "",
        "src/x/b/main.py": "import other",
        "src/x/b/other.py": "",
    }
    inputs = gather(rule_runner, files)
    assert inputs.request.errors == ()
    sent = {unit.name: [file.name for file in unit.files] for unit in inputs.request.units}
    assert sent == {"a": ["main.py", "utils.py"], "b": ["main.py", "other.py"]}
    assert {"requirements/a.txt", "requirements/b.txt"} < set(contents(rule_runner, inputs))
    # An edit in one, with a new import, leaves the other as it is: Azure ML runs it only once.
    edit = {"src/x/a/main.py": "import utils, added", "src/x/a/added.py": ""}
    edited = gather(rule_runner, edit).request.units
    assert edited[1] == inputs.request.units[1] and edited[0] != inputs.request.units[0]
