from __future__ import annotations

import pytest
from azureml_jobs.bundle.conftest import refusal
from azureml_jobs.conftest import CONTEXT_JOB, JOB, JOB_FILE, Gathered, cases


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


@cases(
    "job, job_file, name",
    {
        "named": (f"experiment_name: mine\n{JOB}", "src/exp/job.yaml", "mine"),
        "by the folder": (JOB, "src/exp/job.yaml", "exp"),
        "in the root": (JOB.replace("..", "src"), "job.yaml", "Default"),
    },
)
def test_names_the_experiment(gathered: Gathered, job: str, job_file: str, name: str) -> None:
    gathered.add_code()
    assert gathered.plan(job, job_file=job_file).experiment_name == name


@cases(
    "job, message",
    {
        "empty": ("", f"{JOB_FILE}: the job file is empty."),
        "a reference to nothing": (
            JOB.replace("inputs.epochs", "inputs.epoch"),
            f"{JOB_FILE}: command:",
        ),
        "code outside": (JOB.replace("..", "../../.."), "code: "),
        "an open quote": (JOB.replace("-m exp", "-m 'exp"), "command: "),
        "no kind of job": (f"type: commnd\n{JOB}", "type: "),
    },
)
def test_refuses_a_job_file_with_an_error(gathered: Gathered, job: str, message: str) -> None:
    gathered.add_code()
    error = refusal(gathered, job)
    assert message in error and error.startswith(JOB_FILE)


@cases(
    "setting, message",
    {
        "an unknown key": ("input.epochs=2", "unknown key"),
        "an unknown key in a mapping": ("environment={bild: {path: x}}", "`bild`"),
        "a mapping for inputs": ("inputs={epochs: {tipe: uri_file}}", "`tipe`"),
        "a placeholder": ("compute=azureml:<name>", "placeholder `<name>`"),
        "a reference": ("command=python -m exp.main ${{inputs.x}}", "command: "),
    },
)
def test_checks_overrides_as_the_job_file(gathered: Gathered, setting: str, message: str) -> None:
    gathered.add_code()
    error = refusal(gathered, JOB, setting)
    assert message in error and error.startswith(JOB_FILE)


@cases(
    "command",
    {
        "another module that the job needs": "python -m common.a",
        "the module as a script": "python common/a.py",
        "from its folder": "cd common && python a.py",
        "under a profiler": "python -m cProfile -m exp.main",
        "a module of Python": "pip list && python -m pip list",
        "no code at all": "nvidia-smi",
        "a package": "python -m exp",
        "a folder": "python exp",
    },
)
def test_accepts_another_command_that_runs_what_was_gathered(
    gathered: Gathered, command: str
) -> None:
    gathered.add_code()
    gathered.add("src/exp/__main__.py")
    assert gathered.plan(JOB, f"command={command}").job["command"] == command


@cases(
    "command, message",
    {
        "a module": (
            "python -m exp.other",
            f"{JOB_FILE}: command: the overridden command needs src/exp/other.py, which is not in "
            "the snapshot.",
        ),
        "with a launcher": (
            "torchrun exp/other.py",
            f"{JOB_FILE}: command: the overridden command needs src/exp/other.py",
        ),
        "a script that is elsewhere": (
            "python -m exp.main && python other.py",
            f"{JOB_FILE}: command: ",
        ),
        "a broken import": ("python exp/main.py", "src/exp/main.py:1: with the"),
    },
)
def test_refuses_another_command_that_runs_what_was_not_gathered(
    gathered: Gathered, command: str, message: str
) -> None:
    gathered.add_code()
    gathered.write("src/exp/other.py")
    assert refusal(gathered, JOB, f"command={command}").startswith(message)


@cases(
    "setting",
    {
        "another build context": "environment.build.path=../docker",
        "an environment instead": "environment=azureml:other:1",
    },
)
def test_refuses_another_environment_of_files(gathered: Gathered, setting: str) -> None:
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile")
    assert refusal(gathered, CONTEXT_JOB, setting).startswith(f"{JOB_FILE}: environment: ")


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
    message = "3rdparty/a.lock: `six @ git+https://***@example.org/six.git` has credentials"
    assert refusal(gathered, CONTEXT_JOB).startswith(message)


def test_refuses_two_files_with_one_name(gathered: Gathered) -> None:
    gathered.add_code()
    gathered.add("src/exp/common/a.py")
    error = refusal(gathered, JOB.replace("..", ".").replace("exp.main", "main"))
    assert "src/common/a.py and src/exp/common/a.py would both become" in error


def test_warns_of_keys_that_are_there_twice(gathered: Gathered) -> None:
    gathered.add_code()
    plan = gathered.plan(f"experiment_name: first\nexperiment_name: second\n{JOB}")
    assert plan.experiment_name == "second"
    (warning,) = plan.warnings
    assert warning.startswith(f"{JOB_FILE}: the same key twice: `experiment_name`")


def test_refuses_a_link_that_leads_out(gathered: Gathered) -> None:
    gathered.add_code()
    file = gathered.repository / "src/common/a.py"
    file.unlink()
    file.symlink_to("/etc/hosts")
    assert "src/common/a.py is a symbolic link that leads out" in refusal(gathered)


def test_warns_of_a_large_snapshot(gathered: Gathered) -> None:
    gathered.add_code()
    gathered.add("src/exp/large.bin")
    for base in (gathered.repository, gathered.folder / "sources"):
        with open(base / "src/exp/large.bin", "wb") as file:
            file.truncate(101 * 1024 * 1024)
    (warning,) = gathered.plan().warnings
    assert "src/exp/large.bin (106 MB)" in warning
