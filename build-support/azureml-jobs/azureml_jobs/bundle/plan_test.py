from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.plan import plan_job
from azureml_jobs.conftest import CONTEXT_JOB, JOB, Gathered, tree


def refusal(gathered: Gathered, job: str = JOB, *settings: str) -> JobError:
    """Return the error for which a job is refused, without anything having been written."""
    request = gathered.request(job)
    before = tree(gathered.folder.parent)
    with pytest.raises(JobError) as caught:
        plan_job(request, gathered.repository, settings)
    assert tree(gathered.folder.parent) == before
    assert caught.value.status == 2
    return caught.value


def test_plans_a_job_with_overrides(gathered: Gathered) -> None:
    gathered.add_code()
    settings = {"inputs.epochs": "9", "compute": "azureml:cpu", "environment": "azureml:other:2"}
    job = f"compute: <cluster>\n{JOB}"
    plan = gathered.plan(job, *(f"{key}={value}" for key, value in settings.items()))
    assert plan.job["inputs"] == {"epochs": 9}
    assert [plan.job[key] for key in ("compute", "environment")] == list(settings.values())[1:]
    assert [file.path for file in plan.bundle.unit.code] == [
        *("common/a.py", "exp/__init__.py", "exp/main.py"),
    ]
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("job", "job_file", "name"),
    [
        pytest.param(f"experiment_name: mine\n{JOB}", "src/exp/job.yaml", "mine", id="named"),
        pytest.param(JOB, "src/exp/job.yaml", "exp", id="by the folder"),
        pytest.param(JOB.replace("..", "src"), "job.yaml", "Default", id="in the root"),
    ],
)
def test_names_the_experiment(gathered: Gathered, job: str, job_file: str, name: str) -> None:
    gathered.add_code()
    assert gathered.plan(job, job_file=job_file).experiment_name == name


@pytest.mark.parametrize(
    ("job", "message"),
    [
        pytest.param("a: b: c", "src/exp/azure-ml-job.yaml: line 1, column 5: not", id="no YAML"),
        pytest.param("", "src/exp/azure-ml-job.yaml: the job file is empty.", id="empty"),
        pytest.param(f"comand: x\n{JOB}", "comand: unknown key `comand`", id="an unknown key"),
        pytest.param(
            f"compute: azureml:<your-cluster>\n{JOB}",
            "compute: the placeholder `<your-cluster>` is not replaced yet",
            id="a placeholder",
        ),
        pytest.param(
            JOB.replace("inputs.epochs", "inputs.epoch"),
            "src/exp/azure-ml-job.yaml: command:",
            id="a reference to nothing",
        ),
        pytest.param(JOB.replace("..", "../../.."), "code: ", id="code outside"),
        pytest.param(JOB.replace("-m exp", "-m 'exp"), "command: ", id="an open quote"),
        pytest.param(f"type: commnd\n{JOB}", "type: ", id="no kind of job"),
    ],
)
def test_refuses_a_job_file_with_an_error(gathered: Gathered, job: str, message: str) -> None:
    gathered.add_code()
    error = refusal(gathered, job)
    assert message in str(error)
    assert str(error).startswith("src/exp/azure-ml-job.yaml")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        pytest.param("inputs.epochs=many", "inputs.epochs: ", id="no number"),
        pytest.param("input.epochs=2", "unknown key", id="an unknown key"),
        pytest.param("environment={bild: {path: x}}", "`bild`", id="an unknown key in a mapping"),
        pytest.param("inputs={epochs: {tipe: uri_file}}", "`tipe`", id="a mapping for inputs"),
        pytest.param("compute=azureml:<name>", "placeholder `<name>`", id="a placeholder"),
        pytest.param("command=python -m exp.main ${{inputs.x}}", "command: ", id="a reference"),
    ],
)
def test_checks_overrides_as_the_job_file(gathered: Gathered, setting: str, message: str) -> None:
    gathered.add_code()
    error = refusal(gathered, JOB, setting)
    assert error.where.startswith("src/exp/azure-ml-job.yaml")
    assert message in str(error)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("python -m common.a", id="another module that the job needs"),
        pytest.param("python common/a.py", id="the module as a script"),
        pytest.param("cd common && python a.py", id="from its folder"),
        pytest.param("python -m cProfile -m exp.main", id="under a profiler"),
        pytest.param("pip list && python -m pip list", id="a module of Python"),
        pytest.param("nvidia-smi", id="no code at all"),
        pytest.param("python -m exp", id="a package"),
        pytest.param("python exp", id="a folder"),
    ],
)
def test_accepts_another_command_that_runs_what_was_gathered(
    gathered: Gathered, command: str
) -> None:
    gathered.add_code()
    gathered.add("src/exp/__main__.py")
    assert gathered.plan(JOB, f"command={command}").job["command"] == command


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param(
            "python -m exp.other",
            "src/exp/azure-ml-job.yaml: command: the overridden command needs src/exp/other.py, "
            "which is not in the snapshot.",
            id="a module",
        ),
        pytest.param(
            "torchrun exp/other.py",
            "src/exp/azure-ml-job.yaml: command: the overridden command needs src/exp/other.py",
            id="with a launcher",
        ),
        pytest.param(
            "python -m exp.main && python other.py",
            "src/exp/azure-ml-job.yaml: command: ",
            id="a script that is elsewhere",
        ),
        pytest.param("python exp/main.py", "src/exp/main.py:1: with the", id="a broken import"),
    ],
)
def test_refuses_another_command_that_runs_what_was_not_gathered(
    gathered: Gathered, command: str, message: str
) -> None:
    gathered.add_code()
    gathered.write("src/exp/other.py")
    assert str(refusal(gathered, JOB, f"command={command}")).startswith(message)


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param("environment.build.path=../docker", id="another build context"),
        pytest.param("environment=azureml:other:1", id="an environment instead"),
    ],
)
def test_refuses_another_environment_of_files(gathered: Gathered, setting: str) -> None:
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile")
    error = refusal(gathered, CONTEXT_JOB, setting)
    assert error.where == "src/exp/azure-ml-job.yaml: environment"


@pytest.mark.parametrize("place", ["requirements", "lock"])
def test_refuses_credentials_of_packages_and_does_not_show_them(
    gathered: Gathered, place: str
) -> None:
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    line = "six @ git+https://token@example.org/six.git --hash=sha256:00"
    if place == "lock":
        gathered.locked = f"numpy==1\n{line}\n"
    else:
        gathered.requirements = ("numpy", line)
    error = refusal(gathered, CONTEXT_JOB)
    assert error.where == "3rdparty/a.lock"
    assert error.what.startswith("`six @ git+https://***@example.org/six.git` has credentials")


def test_refuses_two_files_with_one_name(gathered: Gathered) -> None:
    gathered.add_code()
    gathered.add("src/exp/common/a.py")
    error = refusal(gathered, JOB.replace("..", ".").replace("exp.main", "main"))
    assert "src/common/a.py and src/exp/common/a.py would both become" in str(error)


def test_warns_of_keys_that_are_there_twice(gathered: Gathered) -> None:
    gathered.add_code()
    plan = gathered.plan(f"experiment_name: first\nexperiment_name: second\n{JOB}")
    assert plan.experiment_name == "second"
    (warning,) = plan.warnings
    assert warning.startswith("src/exp/azure-ml-job.yaml: the same key twice: `experiment_name`")


def test_refuses_a_link_that_leads_out(gathered: Gathered) -> None:
    gathered.add_code()
    file = gathered.repository / "src/common/a.py"
    file.unlink()
    file.symlink_to("/etc/hosts")
    assert "src/common/a.py is a symbolic link that leads out" in str(refusal(gathered))


def test_warns_of_a_large_snapshot(gathered: Gathered) -> None:
    gathered.add_code()
    gathered.add("src/exp/large.bin")
    for base in (gathered.repository, gathered.folder / "sources"):
        with open(base / "src/exp/large.bin", "wb") as file:
            file.truncate(101 * 1024 * 1024)
    (warning,) = gathered.plan().warnings
    assert "src/exp/large.bin (106 MB)" in warning
