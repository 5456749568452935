from __future__ import annotations

import pytest
from azureml_pants.code.environment_files import owners_of_environment_file
from azureml_pants.code.target_files import TargetFiles, TargetFilesRequest
from pants.backend.docker.target_types import DockerImageTarget
from pants.backend.project_info.dependents import Dependents, DependentsRequest
from pants.backend.python.target_types import PythonSourceTarget
from pants.core.target_types import FileTarget
from pants.engine.addresses import Address, Addresses
from pants.engine.target import Dependencies, DependenciesRequest
from pants.testutil.rule_runner import RuleRunner

JOB = Address("src/x", target_name="job")
CONTEXT = "files(name='docker', sources=['docker/**/*'])"
EXPERIMENT = {
    "BUILD": "files(name='platforms', sources=['*.json'])",
    "platform.json": "{}",
    "src/x/BUILD": f"python_sources(name='lib')\nazureml_job(name='job')\n{CONTEXT}",
    "src/x/azure-ml-job.yaml": (
        "code: ..\ncommand: python -m x.main\nenvironment:\n  build:\n    path: docker\n"
    ),
    "src/x/main.py": "",
    "src/x/docker/Dockerfile": "FROM scratch\n",
    "src/x/docker/etc/a.conf": "",
}


def dependencies(rule_runner: RuleRunner, files: dict[str, str]) -> set[str]:
    rule_runner.write_files(files)
    field = rule_runner.get_target(JOB)[Dependencies]
    return {str(found) for found in rule_runner.request(Addresses, [DependenciesRequest(field)])}


def sent(rule_runner: RuleRunner) -> list[str]:
    return [file.path for file in rule_runner.request(TargetFiles, [TargetFilesRequest(JOB)]).files]


def test_the_build_context_is_a_dependency_and_no_code(rule_runner: RuleRunner) -> None:
    assert dependencies(rule_runner, EXPERIMENT) == {
        "//platform.json:platforms",
        "//:platforms",
        "src/x/docker/Dockerfile:../docker",
        "src/x/docker/etc/a.conf:../../docker",
        "src/x/main.py:lib",
        "src/x:docker",
    }
    assert sent(rule_runner) == ["src/x/main.py"]


def test_a_script_that_depends_on_the_job_gets_no_build_context(rule_runner: RuleRunner) -> None:
    build = f"{EXPERIMENT['src/x/BUILD']}\nazureml_local(name='local', dependencies=[':job'])"
    rule_runner.write_files({**EXPERIMENT, "src/x/BUILD": build, "src/x/local.py": ""})
    local = Address("src/x", target_name="local")
    found = rule_runner.request(TargetFiles, [TargetFilesRequest(local)])
    assert [file.path for file in found.files] == ["src/x/local.py", "src/x/main.py"]


@pytest.mark.parametrize(
    "build, command",
    [
        pytest.param("dependencies=[':docker']", "python -m x.main", id="all by the job"),
        pytest.param(
            "dependencies=['src/x/docker/etc/a.conf:../../docker']",
            "python -m x.main",
            id="one by the job",
        ),
        pytest.param("", "python -m x.main --config x/docker/etc/a.conf", id="by the command"),
    ],
)
def test_a_file_of_the_context_that_is_named_is_sent(
    rule_runner: RuleRunner, build: str, command: str
) -> None:
    files = {
        **EXPERIMENT,
        "src/x/BUILD": f"python_sources(name='lib')\nazureml_job(name='job', {build})\n{CONTEXT}",
        "src/x/azure-ml-job.yaml": EXPERIMENT["src/x/azure-ml-job.yaml"].replace(
            "python -m x.main", command
        ),
    }
    rule_runner.write_files(files)
    assert "src/x/docker/etc/a.conf" in sent(rule_runner)
    assert ("src/x/docker/Dockerfile" in sent(rule_runner)) == ("':docker'" in build)


def test_the_image_owns_a_dockerfile_that_is_not_data() -> None:
    address = Address("src/x", target_name="env")
    image = DockerImageTarget({"source": "docker/Dockerfile"}, address)
    data = FileTarget({"source": "docker/Dockerfile"}, address)
    code = PythonSourceTarget({"source": "docker/set_up.py"}, address)
    assert owners_of_environment_file([image]) == [image]
    assert owners_of_environment_file([image, data]) == [data]
    assert owners_of_environment_file([code]) == []


def test_the_file_of_conda_packages_is_a_dependency(rule_runner: RuleRunner) -> None:
    files = {
        **EXPERIMENT,
        "src/x/BUILD": "azureml_job(name='job')\nfile(name='conda', source='conda.yaml')",
        "src/x/azure-ml-job.yaml": (
            "command: ls\nenvironment:\n  image: ubuntu\n  conda_file: conda.yaml\n"
        ),
        "src/x/conda.yaml": "",
    }
    assert "src/x:conda" in dependencies(rule_runner, files)
    assert sent(rule_runner) == []


@pytest.mark.parametrize("job_file", ["command: ls\n", "["], ids=["registered", "broken"])
def test_a_job_without_a_build_context_depends_on_none(
    rule_runner: RuleRunner, job_file: str
) -> None:
    assert dependencies(rule_runner, {**EXPERIMENT, "src/x/azure-ml-job.yaml": job_file}) == set()


def test_code_in_the_build_context_is_not_followed(rule_runner: RuleRunner) -> None:
    files = {**EXPERIMENT, "src/x/docker/set_up.py": "import x.unused", "src/x/unused.py": ""}
    build = files["src/x/BUILD"].replace("name='lib'", "name='lib', sources=['**/*.py']")
    found = dependencies(rule_runner, {**files, "src/x/BUILD": build})
    assert not {address for address in found if address.endswith("lib")} - {"src/x/main.py:lib"}
    assert sent(rule_runner) == ["src/x/main.py"]


def test_a_removed_file_of_the_context_affects_the_job(rule_runner: RuleRunner) -> None:
    rule_runner.write_files(EXPERIMENT)
    # What is left of a removed file is the target that had generated its own.
    removed = DependentsRequest(
        [Address("src/x", target_name="docker")], transitive=False, include_roots=False
    )
    assert JOB in rule_runner.request(Dependents, [removed])
