from __future__ import annotations

import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.cli import aml
from azureml_jobs.local.mlflow_run import start_run
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.workspace import LocalWorkspace


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return where the page began; only the environment of the command has MLflow."""
    places: list[str] = []

    def serve_page(page: str, place: str, bound: socket.socket, opens_browser: bool) -> int:
        assert bound.getsockname()[0] == "127.0.0.1" and not opens_browser
        places.append(f"{page} {place}")
        return 0

    module = SimpleNamespace(mlflow_page=lambda store: store, serve_page=serve_page)
    monkeypatch.setitem(sys.modules, "azureml_jobs.ui.serve", module)
    store = SimpleNamespace(use_files=lambda: None)
    monkeypatch.setitem(sys.modules, "azureml_jobs.ui.local_store", store)
    return places


def ui(repository: Path, *arguments: str) -> int:
    hidden = ("--repository", str(repository))
    return aml.run_aml([*hidden, "ui", "--local", "--no-browser", *arguments])


@pytest.mark.parametrize(
    ("kind", "has_run", "expected"),
    [
        pytest.param("command", True, "{runs}/exp-1/model-metrics", id="its own curves"),
        pytest.param(
            "sweep",
            True,
            "{runs}?searchFilter=tags.%60mlflow.parentRunId%60%20%3D%20%27exp-1%27"
            "&orderByKey=tags.%60mlflow.runName%60&orderByAsc=true&compareRunsMode=CHART",
            id="those of its trials",
        ),
        pytest.param("command", False, "#/experiments", id="nothing logged"),
    ],
)
def test_the_page_begins_with_the_curves_of_a_job(
    tmp_path: Path, shown: list[str], kind: str, has_run: bool, expected: str
) -> None:
    local = LocalWorkspace(tmp_path / ".azureml")
    folder = local.new_job("exp", lambda *_: JobRecord("", experiment_name="exp", kind=kind))
    experiment = start_run(folder, folder.read()) if has_run else ""
    assert ui(tmp_path, "exp-1") == 0
    place = expected.format(runs=f"#/experiments/{experiment}/runs")
    assert shown == [f"{local.mlruns.as_uri()} {place}"]


def test_nothing_is_shown_for_an_unknown_job(tmp_path: Path, shown: list[str]) -> None:
    with pytest.raises(JobError, match="no such job"):
        ui(tmp_path, "exp-1")
    assert shown == []


def test_a_port_in_use_is_an_error_with_a_remedy(tmp_path: Path, shown: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OutsideError, match="in use.*\n\nChoose another one"):
            ui(tmp_path, "--port", str(taken.getsockname()[1]))
