"""Run `./pants run :aml -- ui`: MLflow's own web page over the runs of a workspace."""

from __future__ import annotations

import argparse
from pathlib import Path

from azureml_jobs.base.loopback import bound_socket
from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace

# The default of MLflow.
_FIRST_PORT = 5000


def show_ui(workspace: AzureWorkspace | None, repository: Path, options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    store, title = (repository / LOCAL_FOLDER / "mlruns").as_uri(), "Local runs"
    # Imported late: only the environment of this command has MLflow.
    from azureml_jobs.ui.serve import serve_page

    with bound_socket(options.port, _FIRST_PORT) as bound:
        return serve_page(store, title, bound, not options.no_browser)
