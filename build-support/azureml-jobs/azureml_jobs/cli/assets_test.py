"""The commands `:aml -- data|models|components …` on the local workspace."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.assets import DATA
from azureml_jobs.base.errors import JobError
from azureml_jobs.cli.aml import run_aml
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import resolve_inputs
from azureml_jobs.local.local_assets import LocalAssets
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.workspace import LocalWorkspace


class Commands:
    def __init__(self, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.repository = repository
        self._capsys = capsys

    def run(self, *arguments: str) -> str:
        # As after Pants.
        assert run_aml(["--repository", str(self.repository), *arguments]) == 0
        return self._capsys.readouterr().out

    def rows(self, kind: str) -> list[tuple[Any, ...]]:
        listed = json.loads(self.run(kind, "list", "--json"))
        return [(row["name"], row["version"], row["type"], row["path"]) for row in listed]

    def input(self, **given: str) -> Path:
        """Return what a job gets for this input."""
        job_file = self.repository / "job.yaml"
        return Path(
            resolve_inputs({"inputs": {"in": given}}, job_file, self.repository)["in"].value
        )


@pytest.fixture
def commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Commands:
    repository = tmp_path / "a répo"
    (repository / "model").mkdir(parents=True)
    (repository / "model" / "MLmodel").write_text("flavors: {}")
    # Relative paths are those of the user's own folder.
    monkeypatch.chdir(repository / "model")
    return Commands(repository, capsys)


def test_a_job_gets_a_registered_model(commands: Commands) -> None:
    assert commands.run("models", "list") == (
        "There are no models. Make some: ./pants run :aml -- models register NAME --path PATH\n"
    )
    registered = commands.run("models", "register", "wine", "--path", "../model")
    assert registered == "azureml:wine:1 registered in the local workspace\n"
    commands.run("models", "register", "wine", "--path", ".", "--type", "mlflow_model")
    commands.run("models", "register", "wine", "--path", "MLmodel", "--version", "7-b")
    assert commands.rows("models") == [
        ("wine", "1", "custom_model", ".azureml/models/wine/1/content"),
        ("wine", "2", "mlflow_model", ".azureml/models/wine/2/content"),
        ("wine", "7-b", "custom_model", ".azureml/models/wine/7-b/content/MLmodel"),
    ]
    found = commands.input(type="mlflow_model", path="azureml:wine:2")
    assert (found / "MLmodel").read_text() == "flavors: {}"
    where = "wine: .azureml/models/wine/7-b/content/MLmodel, on this machine\n"
    assert commands.run("models", "download", "wine") == where


def test_an_output_of_a_job_becomes_a_model(commands: Commands) -> None:
    def write(temporary: JobFolder, final: JobFolder) -> JobRecord:
        (temporary.path / "work/outputs/net").mkdir(parents=True)
        (temporary.path / "work/outputs/net/w.bin").write_text("w")
        return JobRecord("", status="Completed")

    LocalWorkspace(commands.repository / ".azureml").new_job("exp", write)
    commands.run("models", "register", "a", "--path", "runs:/exp-1/outputs/net")
    address = "azureml://jobs/exp-1/outputs/artifacts/paths/outputs/net/w.bin"
    commands.run("models", "register", "b", "--path", address)
    assert (commands.input(type="custom_model", path="azureml:a:1") / "w.bin").read_text() == "w"
    assert commands.input(type="custom_model", path="azureml:b:1").read_text() == "w"


def test_a_job_gets_registered_data(commands: Commands) -> None:
    commands.run("data", "register", "wine", "--path", ".")
    assert commands.run("data", "register", "wine", "--path", "MLmodel") == (
        "azureml:wine:2 registered in the local workspace\n"
    )
    (commands.repository / "data" / "plain").mkdir()
    assert commands.rows("data") == [
        ("plain", "any", "", "data/plain"),
        ("wine", "1", "", "data/wine"),
        ("wine", "2", "", "data/wine"),
    ]
    assert (commands.input(path="azureml:wine:1") / "MLmodel").exists()
    assert commands.input(type="uri_file", path="azureml:wine@latest").name == "MLmodel"
    assert commands.run("data", "download", "wine:1") == "wine:1: data/wine/1, on this machine\n"


def test_many_jobs_register_the_same_data_at_once(commands: Commands) -> None:
    local = LocalAssets(DATA, commands.repository)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: local.register("wine", ".", None, None), range(16)))
    assert set(made) == {f"azureml:wine:{number}" for number in range(1, 17)}
    assert len(list((commands.repository / "data/wine").iterdir())) == 16
    # What a killed process left is not data, and neither is a name that only looks like a number.
    (commands.repository / "data/beer/.new-1").mkdir(parents=True)
    (commands.repository / "data/wine/²").mkdir()
    assert local.register("beer", ".", None, None) == "azureml:beer:1"
    assert local.register("wine", ".", None, None) == "azureml:wine:17"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param("data register flat --path .", "data/flat: the folder serves", id="flat"),
        pytest.param("data register w --path . --version a", "not name a version", id="no number"),
        pytest.param("data register a/b --path .", "does not name a version", id="a path"),
        pytest.param("data register azureml:w --path .", "not name a version", id="a reference"),
        pytest.param("data register w --path nope", "nope: there is no such file", id="no file"),
        pytest.param(f"data register w --path {300 * 'n'}", "there is no such file", id="too long"),
        pytest.param("data register w --path . --version 1", "exists already", id="once"),
        pytest.param("data download w:9", "azureml:w:9: the local workspace has", id="no data"),
        pytest.param("data download a/b", "a/b: this is not a name", id="no name"),
        pytest.param(
            "models download w:9", "w:9: the local workspace has no such model", id="none"
        ),
        pytest.param(
            "models register w --path azureml://datastores/d/paths/p", "only a workspace", id="away"
        ),
        pytest.param(
            "models register w --type mlflow_model --path MLmodel", "is a folder", id="a file"
        ),
    ],
)
def test_reports_what_to_write(commands: Commands, arguments: str, message: str) -> None:
    (commands.repository / "data/flat").mkdir(parents=True)
    (commands.repository / "data/flat/a.csv").touch()
    (commands.repository / "data/w/1").mkdir(parents=True)
    with pytest.raises(JobError, match=message):
        commands.run(*arguments.split())
