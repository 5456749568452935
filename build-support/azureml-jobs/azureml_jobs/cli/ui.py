"""Run `./pants run :aml -- ui`: MLflow's own web page over the runs of a workspace."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from azureml_jobs.base.loopback import listening_socket
from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace

if TYPE_CHECKING:
    from azureml_jobs.azure.workspace import ConnectedWorkspace

# The default of MLflow.
_FIRST_PORT = 5000
_EXPERIMENTS = "#/experiments"


def show_ui(workspace: AzureWorkspace | None, repository: Path, options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    with listening_socket(options.port, _FIRST_PORT) as listening:
        # Imported late: only the environment of this command has MLflow.
        from azureml_jobs.ui.serve import mlflow_page, serve_page

        if workspace is None:
            place = _local_place(repository, options.name)
            page = mlflow_page((repository / LOCAL_FOLDER / "mlruns").as_uri())
            from azureml_jobs.ui.local_store import use_files

            use_files()
        else:
            from azureml_jobs.azure.workspace import ConnectedWorkspace

            connected = ConnectedWorkspace(workspace, options.login)
            place = _azure_place(connected, options.name)
            page = mlflow_page(str(connected.details["properties"]["mlFlowTrackingUri"]))
            from azureml_jobs.ui.azure_store import use_workspace

            use_workspace(connected)
        return serve_page(page, place, listening, not options.no_browser)


def _local_place(repository: Path, name: str | None) -> str:
    if name is None:
        return _EXPERIMENTS
    from azureml_jobs.local.mlflow_store import MlflowStore
    from azureml_jobs.local.workspace import LocalWorkspace

    local = LocalWorkspace(repository / LOCAL_FOLDER)
    record, run = local.job(name).read(), MlflowStore(local.mlruns).run_folder(name)
    return _place(run.parent.name if run else None, name, record.kind == "command")


def _azure_place(workspace: ConnectedWorkspace, name: str | None) -> str:
    if name is None:
        return _EXPERIMENTS
    from azureml_jobs.azure.run_history import experiment_of
    from azureml_jobs.azure.workspace import job_of

    kind = job_of(workspace, name)["properties"]["jobType"]
    return _place(experiment_of(workspace, name), name, kind not in ("Pipeline", "Sweep"))


def _place(experiment: str | None, run: str, is_alone: bool) -> str:
    """Return where the page has the curves of a run, or of those that it started."""
    if experiment is None:
        # It has not begun, or has the results of an earlier one.
        return _EXPERIMENTS
    runs = f"#/experiments/{experiment}/runs"
    if is_alone:
        return f"{runs}/{run}/model-metrics"
    # In any order but that of their start, which would hide them below their parent.
    shown = {
        "searchFilter": f"tags.`mlflow.parentRunId` = '{run}'",
        "orderByKey": "tags.`mlflow.runName`",
        "orderByAsc": "true",
        "compareRunsMode": "CHART",
    }
    return f"{runs}?{urlencode(shown, quote_via=quote)}"
