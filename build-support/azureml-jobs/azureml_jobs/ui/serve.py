"""Serve MLflow's web page on this machine until Ctrl-C."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import warnings
import webbrowser
from collections.abc import Callable

import uvicorn
from azureml_jobs.base.loopback import LOOPBACK
from azureml_jobs.ui.token_gate import App, TokenGate

# The page of an MLflow that has many experiments; its own first page is about language models.
_START = "/#/experiments"
# How long requests may take after Ctrl-C.
_GRACE_SECONDS = 1
_SETTINGS = {
    # The store of local runs: maintaining/decisions/runs-in-mlflow-file-store.md
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


class _Server(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, app: App, when_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="error",
                access_log=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._when_ready()


def serve_page(store: str, title: str, bound: socket.socket, opens_browser: bool) -> int:
    """Show the runs of `store`, a tracking URI of MLflow, at the port of a bound socket."""
    token, port = secrets.token_urlsafe(24), bound.getsockname()[1]
    address = f"http://{LOOPBACK}:{port}/?token={token}"

    def report() -> None:
        print(f"{title}: {address}", flush=True)
        print("Ctrl-C ends it.", file=sys.stderr)
        if opens_browser and _has_display():
            webbrowser.open(address)

    page = TokenGate(_mlflow_page(store), token, f"azureml-ui-{port}", _START)
    try:
        _Server(page, report).run(sockets=[bound])
    except KeyboardInterrupt:
        pass
    return 0


def _mlflow_page(store: str) -> App:
    # Read when MLflow is imported.
    os.environ.update(_SETTINGS, _MLFLOW_SERVER_FILE_STORE=store)
    with warnings.catch_warnings():
        # MLflow's own use of its libraries.
        warnings.simplefilter("ignore")
        from mlflow.server.fastapi_app import app  # pants: no-infer-dep
    page: App = app
    return page


def _has_display() -> bool:
    """Return whether a browser would open a window, and not take the terminal."""
    return sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
