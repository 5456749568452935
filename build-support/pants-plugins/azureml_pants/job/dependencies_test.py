from __future__ import annotations

import pytest
from azureml_pants.code.command_targets import LocalCode, LocalFieldSet
from azureml_pants.code.job_code import CheckedUnits, JobFieldSet
from azureml_pants.code.loaded_code import CheckedCode, CheckedCodeRequest
from azureml_pants.job.dependencies import owners_of_data
from pants.backend.docker.target_types import DockerImageTarget
from pants.backend.project_info.dependents import Dependents, DependentsRequest
from pants.backend.python.target_types import PythonSourceTarget
from pants.core.target_types import FileTarget
from pants.engine.addresses import Address, Addresses
from pants.engine.target import Dependencies, DependenciesRequest
from pants.testutil.rule_runner import RuleRunner

JOB = Address("src/x", target_name="job")
COMPONENT = Address("src/x", target_name="train")
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
    field_set = JobFieldSet.create(rule_runner.get_target(JOB))
    return [f.path for f in rule_runner.request(CheckedUnits, [field_set]).files]


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
    field_set = LocalFieldSet.create(rule_runner.get_target(Address("src/x", target_name="local")))
    local = rule_runner.request(LocalCode, [field_set])
    found = rule_runner.request(CheckedCode, [CheckedCodeRequest(local.code.request, True)])
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
    assert owners_of_data([image]) == [image]
    assert owners_of_data([image, data]) == [data]
    assert owners_of_data([code]) == []


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


def depends_on(rule_runner: RuleRunner, files: dict[str, str]) -> set[str]:
    return {name for name in dependencies(rule_runner, files) if "platform" not in name}


@pytest.mark.parametrize(
    "command, code, expected",
    [
        pytest.param("python -m x.main", "..", {"src/x/main.py:lib"}, id="a module"),
        pytest.param("python tools", ".", {"src/x/tools/__main__.py:../lib"}, id="a folder"),
        pytest.param(
            "python -m common.prepare && python main.py",
            ".",
            {"src/common/prepare.py", "src/x/main.py:lib"},
            id="shared code",
        ),
        pytest.param(
            "python main.py --config conf/a.yaml --out results/b.yaml",
            ".",
            {"src/x/main.py:lib", "src/x:conf"},
            id="a file that the command names",
        ),
        pytest.param("bash run.sh", ".", {"src/x/main.py:lib", "src/x:sh"}, id="a shell script"),
        pytest.param("python -m pytest", "..", {"//:pytest"}, id="a module of a package"),
        pytest.param("python -m json.tool < a.json", "..", set(), id="a module of Python itself"),
        pytest.param("python -m x.gone", "..", set(), id="a file that does not exist"),
    ],
)
def test_a_job_depends_on_what_its_command_loads(
    rule_runner: RuleRunner, command: str, code: str, expected: set[str]
) -> None:
    build = """
python_sources(name='lib', sources=['**/*.py'])
azureml_job(name='job')
resource(name='conf', source='conf/a.yaml')
file(name='sh', source='run.sh')
"""
    files = {
        "BUILD": "python_requirement(name='pytest', requirements=['pytest==7'])",
        "src/x/BUILD": build,
        "src/x/azure-ml-job.yaml": f"code: {code}\ncommand: {command}\n",
        "src/x/main.py": "",
        "src/x/tools/__main__.py": "",
        "src/x/conf/a.yaml": "",
        "src/x/run.sh": "python main.py\n",
        "src/common/BUILD": "python_sources()",
        "src/common/prepare.py": "",
    }
    assert depends_on(rule_runner, files) == expected


PIPELINE = {
    "src/x/BUILD": "python_sources(name='lib')\nazureml_job(name='job')\n"
    "azureml_component(name='train', source='train.yml')\n"
    "resources(name='components', sources=['*.yml'])",
    "src/x/azure-ml-job.yaml": "type: pipeline\njobs:\n  inner:\n    component: ./inner.yml\n",
    "src/x/inner.yml": "type: pipeline\njobs:\n  train:\n    component: file:./train.yml\n",
    "src/x/train.yml": "name: train\nversion: 1\ncode: .\ncommand: python train.py\n"
    "environment: file:env.yml\n",
    "src/x/env.yml": "image: ubuntu\nconda_file: conda.yml\n",
    "src/x/conda.yml": "name: x\n",
    "src/x/train.py": "import model",
    "src/x/model.py": "",
}


def test_a_pipeline_depends_on_its_components_and_their_code(rule_runner: RuleRunner) -> None:
    files = ("inner.yml", "train.yml", "env.yml", "conda.yml")
    assert depends_on(rule_runner, PIPELINE) == {
        *("src/x/model.py:lib", "src/x/train.py:lib"),
        *(f"src/x/{name}:components" for name in files),
    }


BROKEN = [
    pytest.param("command: [", "src/x/azure-ml-job.yaml: line 2", id="no YAML"),
    pytest.param("- a", "src/x/azure-ml-job.yaml: not a job file", id="a list"),
    pytest.param("", "src/x/azure-ml-job.yaml: the job file is empty", id="empty"),
    pytest.param(b"\xff", "src/x/azure-ml-job.yaml: not text in UTF-8 (byte 0)", id="binary"),
    pytest.param("a: " + "[" * 2000, "src/x/azure-ml-job.yaml: line 1, column 1003", id="deep"),
    pytest.param("x" * (9 << 20), "src/x/azure-ml-job.yaml: too large for a job", id="large"),
    pytest.param("command: echo '", "src/x/azure-ml-job.yaml: command: ", id="an open quote"),
    pytest.param(
        "code: ../../..\ncommand: ls", "src/x/azure-ml-job.yaml: code: ", id="code out of the root"
    ),
    pytest.param(None, "src/x/azure-ml-job.yaml: there is no such file", id="missing"),
]


@pytest.mark.parametrize("text, expected", BROKEN)
def test_a_broken_job_file_is_an_error_of_the_job_and_of_no_other_goal(
    rule_runner: RuleRunner, text: str | bytes | None, expected: str
) -> None:
    rule_runner.write_files({"src/x/BUILD": "azureml_job(name='job')"})
    if text is not None:
        rule_runner.write_files({"src/x/azure-ml-job.yaml": text})
    field_set = JobFieldSet.create(rule_runner.get_target(JOB))
    (error,) = rule_runner.request(CheckedUnits, [field_set]).errors
    assert error.startswith(expected)
    assert dependencies(rule_runner, {}) == set()


@pytest.mark.parametrize(
    "generator, file, affected",
    [
        pytest.param("lib", "model.py", {JOB, COMPONENT}, id="code"),
        pytest.param("components", "conda.yml", {JOB, COMPONENT}, id="an environment"),
        pytest.param("components", "train.yml", {JOB, COMPONENT}, id="a component"),
        pytest.param("components", "inner.yml", {JOB}, id="a pipeline inside of a pipeline"),
    ],
)
def test_an_edit_affects_jobs_and_components_that_lead_to_it(
    rule_runner: RuleRunner, generator: str, file: str, affected: set[Address]
) -> None:
    rule_runner.write_files(PIPELINE)
    edited = Address("src/x", target_name=generator, relative_file_path=file)
    asked = DependentsRequest([edited], transitive=True, include_roots=False)
    assert {JOB, COMPONENT} & set(rule_runner.request(Dependents, [asked])) == affected


def test_the_file_of_a_component_target_is_a_component(rule_runner: RuleRunner) -> None:
    rule_runner.write_files({**PIPELINE, "src/x/train.yml": "code: .\ncommand: python train.py\n"})
    field_set = JobFieldSet.create(rule_runner.get_target(COMPONENT))
    (error,) = rule_runner.request(CheckedUnits, [field_set]).errors
    assert error.startswith(
        "src/x/train.yml: this is a command job, and src/x:train is a component.\n\n"
        "Write the `$schema` of a component"
    )


def test_a_new_file_changes_what_an_import_means(rule_runner: RuleRunner) -> None:
    shared = {"src/model.py": "", "src/BUILD": "python_sources()"}
    files = {path: text for path, text in PIPELINE.items() if path != "src/x/model.py"}
    assert "src/model.py" in depends_on(rule_runner, {**files, **shared})
    found = depends_on(rule_runner, {"src/x/model.py": ""})
    assert "src/x/model.py:lib" in found and "src/model.py" not in found
