"""A resolve of its own begins as a copy of the default one, or is not written at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.experiment.create import ExperimentRequest, create_experiment
from azureml_jobs.experiment.resolve import ResolveRequest

RESOLVES = {"experiments": "locks/experiments.lock", "black": "locks/black.lock"}
REPOSITORY = {
    "pants.toml": '[python.resolves]\nexperiments = "locks/experiments.lock"\n# A tool.\n',
    "build-support/macros/resolves.py": "# Why.\nOWN_RESOLVES = ()\n\n\ndef f():\n    pass\n",
    "locks/experiments-requirements.txt": "# What.\nnumpy>=2,<3\n\n# Tests.\npytest<9\n",
    "locks/experiments.lock": "// pants generate-lockfiles --resolve=experiments\n{}\n",
    "template/BUILD.template": "experiment({{resolve}})\n",
    "src/common/BUILD": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in REPOSITORY.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def new(root: Path, name: str | None, resolve: str, resolves: Mapping[str, str] = RESOLVES) -> str:
    request = ResolveRequest(resolve, "experiments", resolves)
    return create_experiment(root, ExperimentRequest(name, "src", "template", {}, (), request))


def contents(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_an_experiment_gets_a_copy_of_the_default_resolve(root: Path) -> None:
    told = new(root, "x", "older")
    written = {path: text for path, text in contents(root).items() if REPOSITORY.get(path) != text}
    assert written == {
        "pants.toml": (
            '[python.resolves]\nexperiments = "locks/experiments.lock"\n'
            'older = "locks/older.lock"\n# A tool.\n'
        ),
        "build-support/macros/resolves.py": (
            '# Why.\nOWN_RESOLVES = ("older",)\n\n\ndef f():\n    pass\n'
        ),
        "locks/older-requirements.txt": (
            '# What experiments with `resolve="older"` may import.\n'
            "# Sync the lock after an edit: ./pants sync-lockfiles\n"
            "numpy>=2,<3\npytest<9\n"
        ),
        "locks/older.lock": "// pants generate-lockfiles --resolve=older\n{}\n",
        "src/x/BUILD": 'experiment(resolve="older")\n',
    }
    assert "./pants sync-lockfiles --resolve=older" in told
    assert "./pants run src/x:job" in told


def test_a_second_experiment_shares_it(root: Path) -> None:
    new(root, "x", "older")
    before = contents(root)
    told = new(root, "y", "older", {**RESOLVES, "older": "locks/older.lock"})
    after = contents(root)
    assert after.pop("src/y/BUILD") == 'experiment(resolve="older")\n'
    assert after == before
    assert "Wrote the resolve" not in told


def test_a_second_resolve_is_added_to_the_first(root: Path) -> None:
    new(root, None, "older")
    new(root, None, "newer", {**RESOLVES, "older": "locks/older.lock"})
    macros = contents(root)["build-support/macros/resolves.py"]
    assert 'OWN_RESOLVES = ("older", "newer")\n' in macros


def test_without_a_name_the_resolve_alone_is_written(root: Path) -> None:
    assert 'experiment(resolve="older")' in new(root, None, "older")
    assert not (root / "src/x").exists()
    assert "there already" in new(root, None, "older", {**RESOLVES, "older": "locks/older.lock"})


@pytest.mark.parametrize(
    "resolve, name, told",
    [
        pytest.param("Older one", "x", "no name for a resolve", id="no name"),
        pytest.param("black", "x", "the resolve of a tool", id="a tool's"),
        pytest.param("older", "class", "--name=class", id="a wrong name of the experiment"),
        pytest.param("older", "common", "src/common exists already", id="an experiment's folder"),
    ],
)
def test_a_mistake_writes_nothing(root: Path, resolve: str, name: str, told: str) -> None:
    with pytest.raises(JobError) as raised:
        new(root, name, resolve)
    assert told in str(raised.value)
    assert contents(root) == REPOSITORY


@pytest.mark.parametrize(
    "path, text, told",
    [
        pytest.param("pants.toml", "", "no line `experiments = ", id="settings"),
        pytest.param("build-support/macros/resolves.py", "", "OWN_RESOLVES = ()", id="macros"),
        pytest.param("locks/older.lock", "mine", "locks/older.lock exists already", id="lock"),
        pytest.param("locks/experiments.lock", None, "there is no such file", id="no lock"),
    ],
)
def test_files_that_are_not_as_they_were_stay_so(
    root: Path, path: str, text: str | None, told: str
) -> None:
    if text is None:
        (root / path).unlink()
    else:
        (root / path).write_text(text, encoding="utf-8")
    before = contents(root)
    with pytest.raises(JobError) as raised:
        new(root, "x", "older")
    assert told in str(raised.value)
    assert contents(root) == before
