"""Test projects that copier makes from this repository: new, updated, and with little left."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import broken_links, commands_run_by, pages
from example import EXPERIMENT, JOB_FILE
from projects import begin, copier
from scratch import Checkout, Scratch

ANSWERS = {"project_name": "Wine & Co", "cluster": "big-cluster", "licence": "MIT"}
CHECKS = ("tailor", "--check", "update-build-files", "--check", "lint", "check", "test", "::")
# docs/updating.md: a project may change or remove them.
MAY_GO = (
    *("README.md", "LICENSE", "azure-pipelines.yml", "docs", "data", "notebooks"),
    *(".devcontainer", ".github", ".hadolint.yaml", ".pre-commit-config.yaml"),
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    made = Scratch(tmp_path_factory.mktemp("template"))
    made.git("tag", "v2.0.0")
    return made


@pytest.fixture(scope="module")
def project(template: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    # As the README says, but for the answers and for what starts copier.
    assert commands_run_by("project") == ['uvx copier copy "$PWD" ../my-project']
    made = begin(template, tmp_path_factory.mktemp("projects") / "my project", **ANSWERS)
    yield made
    made.stop_daemon()


def release(template: Checkout, version: str, path: str, text: str) -> None:
    (template.root / path).write_text(text, encoding="utf-8")
    template.commit(version)
    template.git("tag", version)


def edit(project: Checkout, path: str, old: str, new: str) -> None:
    text = (project.root / path).read_text(encoding="utf-8")
    assert old in text
    (project.root / path).write_text(text.replace(old, new), encoding="utf-8")


def test_a_project_has_what_its_people_need_and_no_more(project: Checkout) -> None:
    names = project.git("ls-files").splitlines()
    tools = {name for name in names if name.startswith("build-support/")}
    assert len(names) - len(tools) <= 120
    assert not [name for name in tools if name.endswith(("_test.py", "/BUILD", "conftest.py"))]
    assert not any("maintaining" in name or name.startswith(".ci") for name in names)
    assert [link for page in pages(project.root) for link in broken_links(page, project.root)] == []
    texts = {
        name: (project.root / name).read_text(encoding="utf-8")
        for name in ("README.md", "LICENSE", JOB_FILE, "BUILD", "pants.toml", ".copier-answers.yml")
    }
    assert texts["README.md"].startswith("# Wine & Co\n") and "uvx" not in texts["README.md"]
    assert "Wine & Co" in texts["LICENSE"]
    assert "compute: azureml:big-cluster\n" in texts[JOB_FILE]
    assert texts["BUILD"].count("(") == 1
    assert "tests" not in tomllib.loads(texts["pants.toml"])["python"]["resolves"]
    assert "_commit: v2.0.0\n" in texts[".copier-answers.yml"]


def test_the_workspace_is_what_was_answered(template: Checkout, tmp_path: Path) -> None:
    answers = {"project_name": "x", "example": "false", "subscription_id": "s"}
    made = begin(template, tmp_path / "x", **answers, resource_group="g", workspace="w")
    config = (made.root / "config.env").read_text(encoding="utf-8")
    assert "SUBSCRIPTION_ID=s\nRESOURCE_GROUP=g\nWORKSPACE=w\n" in config
    assert not (made.root / EXPERIMENT).exists() and not (made.root / "LICENSE").exists()
    assert "example_experiment" not in (made.root / "README.md").read_text(encoding="utf-8")


def test_an_update_keeps_what_is_the_peoples_own(template: Checkout, project: Checkout) -> None:
    mine = {
        f"{EXPERIMENT}/model.py": "\n\n# Ours.\n",
        "README.md": "# Ours\n",
        "3rdparty/python/experiments-requirements.txt": "# Ours.\n",
        "config.env": "# CLOUD=AzureChinaCloud\n",
    }
    for path, text in mine.items():
        with (project.root / path).open("a", encoding="utf-8") as file:
            file.write(text)
    edit(project, ".github/workflows/ci.yml", "name: CI\n", "name: Our CI\n")
    project.git("rm", "-r", "--quiet", ".vscode")
    project.commit("Ours")
    tool, page = "build-support/azureml-jobs/azureml_jobs/azure/new.py", "docs/new.md"
    release(template, "v2.1.0", tool, '"""New in 2.1."""\n')
    edit(template, ".github/workflows/ci.yml", "timeout-minutes: 60", "timeout-minutes: 90")
    template.git("rm", "--quiet", "docs/concepts.md")
    release(template, "v2.2.0", page, "# New in 2.2\n")
    copier(project.root, "update", "--quiet", "--defaults")
    assert (project.root / tool).exists() and (project.root / page).exists()
    assert not (project.root / "docs/concepts.md").exists()
    assert not (project.root / ".vscode").exists()
    for path, text in mine.items():
        assert (project.root / path).read_text(encoding="utf-8").endswith(text)
    workflow = (project.root / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert "name: Our CI\n" in workflow and "timeout-minutes: 90" in workflow
    assert "<<<<<<<" not in project.git("diff")
    project.commit("Take 2.2.0")
    commands = commands_run_by("test_an_update_keeps_what_is_the_peoples_own")
    checked = "".join(project.bash(command).stdout for command in commands)
    assert f"{EXPERIMENT}/tests/test_main.py:../tests succeeded" in checked


@pytest.fixture
def emptied(project: Checkout) -> Checkout:
    """Remove what may go, and the example as the page says."""
    for command in commands_run_by("emptied"):
        project.bash(command)
    project.git("rm", "-r", "--quiet", *MAY_GO)
    project.commit("Remove what may go")
    return project


def test_the_tools_need_nothing_of_what_may_go(emptied: Checkout) -> None:
    emptied.pants("new-experiment", "--name=first")
    assert "Completed" in emptied.pants("run", "src/first:job").stdout
    emptied.pants("package", "src/first:job")
    emptied.commit("Begin an experiment")
    checked = emptied.pants(*CHECKS).stderr
    assert "src/first/tests/test_main.py:../tests succeeded" in checked
    assert "build-support" not in checked.rpartition("Completed")[2]
