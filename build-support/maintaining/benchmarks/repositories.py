"""Make projects with many experiments to measure commands in, with this scaffolding and without."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
from azureml_jobs.experiment.create import ExperimentRequest, create_experiment

# In addition to the five Python files of the template: eleven are what an experiment has when a
# model, its data and their plots are modules of their own.
MODULES = 6
# What Pants itself has for the same code.
PLAIN_BUILD = """\
python_sources(sources=["**/*.py", "!tests/**"])
python_tests(name="tests", sources=["tests/**/test_*.py"])
"""
PLAIN_REQUIREMENTS = """\
python_requirements(
    source="experiments-requirements.txt", module_mapping={"mlflow-skinny": ["mlflow"]}
)
"""
OURS = "ours"
GIT = ("git", "-c", "user.name=Benchmark", "-c", "user.email=benchmark@localhost")


def run(root: Path, *command: str) -> str:
    return subprocess.run(
        command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True
    ).stdout


def names(experiments: int) -> list[str]:
    return [f"experiment_{number:04}" for number in range(experiments)]


def machine() -> dict[str, Any]:
    """Return what a result depends on, and the commit that was measured."""
    return {
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "commit": run(Path.cwd(), "git", "rev-parse", "--short", "HEAD").strip(),
    }


def daemon(root: Path) -> psutil.Process | None:
    """Return the process of the daemon of Pants, if it runs."""
    for file in root.glob(".pids/*/pantsd/pid"):
        # One that has ended leaves its file.
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(int(file.read_text(encoding="ascii")))
    return None


def stop_daemon(root: Path) -> None:
    if process := daemon(root):
        process.terminate()
        process.wait()


def copy_project(root: Path, has_example: bool) -> None:
    """Write a project as `copier copy` makes it."""
    answers = ("--data=project_name=Benchmark", f"--data=example={str(has_example).lower()}")
    copy = (sys.executable, "-m", "copier", "copy", "--quiet", "--defaults", "--vcs-ref=HEAD")
    # `./pants run` runs in the root of the repository.
    run(Path.cwd(), *copy, *answers, ".", str(root))


def make_project(root: Path, experiments: int) -> None:
    """Write a project with so many experiments, in a git repository."""
    copy_project(root, has_example=False)
    for name in names(experiments):
        request = ExperimentRequest(name, "src", "build-support/experiment-template", {})
        create_experiment(root, request)
        add_modules(root / "src" / name)
    commit(root)


def make_plain(root: Path, experiments: int) -> None:
    """Write the same code as a project of Pants alone: without plugin, macros and job files."""
    make_project(root, experiments)
    settings = root / "pants.toml"
    text = re.sub(r'(?m)^ *"azureml_pants.*\n', "", settings.read_text(encoding="utf-8"))
    text = re.sub(r"(?m)^pythonpath = \[[^]]*\]\n|^build_file_prelude_globs.*\n", "", text)
    settings.write_text(text, encoding="utf-8")
    for folder in (root / "build-support").iterdir():
        if folder.is_dir() and folder.name != "bootstrap":
            shutil.rmtree(folder)
    (root / "BUILD").unlink()
    (root / "3rdparty/python/BUILD").write_text(PLAIN_REQUIREMENTS, encoding="utf-8")
    for build in root.glob("src/*/BUILD"):
        build.write_text(PLAIN_BUILD, encoding="utf-8")
    commit(root)


def commit(root: Path) -> None:
    run(root, *GIT, "init", "--quiet")
    run(root, *GIT, "add", "--all")
    run(root, *GIT, "commit", "--quiet", "--message=Begin")


def add_modules(folder: Path) -> None:
    """Add modules of which each imports the next, the first of them by the experiment's script."""
    package = folder.name
    for number in range(MODULES):
        imported = f"from {package} import part_{number + 1}\n" if number + 1 < MODULES else ""
        text = f"import json\n\nimport numpy as np\nfrom common import tracking\n{imported}"
        (folder / f"part_{number}.py").write_text(text, encoding="utf-8")
    main = folder / "main.py"
    old = "from common import tracking\n"
    new = f"{old}from {package} import part_0  # noqa: F401\n"
    main.write_text(main.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
