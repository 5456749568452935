"""Run `./pants run :aml -- ui`: MLflow's own web page over the runs of a workspace."""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import quote, urlencode

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.loopback import bound_socket
from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace

# The default of MLflow.
_FIRST_PORT = 5000


def show_ui(workspace: AzureWorkspace | None, repository: Path, options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    if workspace is not None:
        raise JobError(
            "ui",
            f"it shows the runs of this machine, and {workspace.source} names a workspace in Azure",
            "Write `ui --local`. The studio shows the runs of a workspace.",
        )
    store = (repository / LOCAL_FOLDER / "mlruns").as_uri()
    place = _place_of_job(repository, options.name) if options.name else "#/experiments"
    # Imported late: only the environment of this command has MLflow.
    from azureml_jobs.ui.serve import serve_page

    with bound_socket(options.port, _FIRST_PORT) as bound:
        return serve_page(store, place, bound, not options.no_browser)


def _place_of_job(repository: Path, name: str) -> str:
    """Return where the page has the curves of a job, or those of its steps or trials."""
    from azureml_jobs.local.mlflow_store import MlflowStore
    from azureml_jobs.local.workspace import LocalWorkspace

    local = LocalWorkspace(repository / LOCAL_FOLDER)
    record = local.job(name).read()
    return place_of_run(MlflowStore(local.mlruns).experiment_of(name), name, record.kind)


def place_of_run(experiment: str | None, run: str, kind: str) -> str:
    if experiment is None:
        # It has not begun, or has the results of an earlier one.
        return "#/experiments"
    runs = f"#/experiments/{experiment}/runs"
    if kind == "command":
        return f"{runs}/{run}/model-metrics"
    # In any order but that of their start, which would hide them below their parent.
    shown = {
        "searchFilter": f"tags.`mlflow.parentRunId` = '{run}'",
        "orderByKey": "tags.`mlflow.runName`",
        "orderByAsc": "true",
        "compareRunsMode": "CHART",
    }
    return f"{runs}?{urlencode(shown, quote_via=quote)}"
