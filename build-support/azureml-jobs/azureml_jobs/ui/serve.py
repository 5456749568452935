"""Serve MLflow's web page on this machine until Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import sys
import warnings
import webbrowser

import uvicorn  # pants: no-infer-dep
from azureml_jobs.base.loopback import LOOPBACK
from azureml_jobs.ui.token_gate import TokenGate
from starlette.types import ASGIApp  # pants: no-infer-dep

# MLflow's page begins as one on language models, with an assistant for them. It keeps these choices
# in the browser, where the user can change them.
_WELCOME = """<!doctype html><title>MLflow</title><script>
for (const [key, value] of [
  ["mlflow.workflowType_v1", '"machine_learning"'],
  ["mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true"],
]) if (localStorage.getItem(key) === null) localStorage.setItem(key, value);
location.replace("/" + PLACE);
</script>
"""
# How long requests may take after Ctrl-C.
_GRACE_SECONDS = 1
_SETTINGS = {
    # The store of local runs: maintaining/decisions/runs-in-mlflow-file-store.md
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # The page shows errors itself; the files have no traces of language models, which it asks for.
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def serve_page(page: ASGIApp, place: str, listening: socket.socket, opens_browser: bool) -> int:
    """Serve `page` on a socket that listens; `place` is the part that is shown first."""
    token, port = secrets.token_urlsafe(24), listening.getsockname()[1]
    address = f"http://{LOOPBACK}:{port}/?token={token}"
    welcome = _WELCOME.replace("PLACE", json.dumps(place).replace("<", r"\u003c"))
    config = uvicorn.Config(
        TokenGate(page, token, f"azureml-ui-{port}", welcome),
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    with contextlib.suppress(KeyboardInterrupt):
        print(f"MLflow: {address}\nCtrl-C ends it.", flush=True)
        if opens_browser and _has_display():
            webbrowser.open(address)
        uvicorn.Server(config).run(sockets=[listening])
    return 0


def mlflow_page(store: str) -> ASGIApp:
    """Return MLflow's web page over the runs of `store`, a tracking URI."""
    # Read when MLflow is imported.
    os.environ.update(_SETTINGS, _MLFLOW_SERVER_FILE_STORE=store)
    with warnings.catch_warnings():
        # MLflow's own use of its libraries.
        warnings.simplefilter("ignore")
        from mlflow.server.fastapi_app import app  # pants: no-infer-dep
    page: ASGIApp = app
    return page


def _has_display() -> bool:
    """Return whether a browser would open a window, and not take the terminal."""
    return sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
