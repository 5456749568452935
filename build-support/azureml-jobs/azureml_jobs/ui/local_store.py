"""The runs of this machine as a store of MLflow: they are where their repository is now.

Imported after the settings of MLflow are made, because it reads them when it is imported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlflow.server import handlers  # pants: no-infer-dep
from mlflow.store.tracking.file_store import FileStore  # pants: no-infer-dep


def use_files() -> None:
    """Let MLflow read addresses of `file:` by this store."""
    registry = handlers._tracking_store_registry
    registry.register("file", lambda store_uri, artifact_uri: _Runs(store_uri, artifact_uri))


class _Runs(FileStore):
    """MLflow writes whole paths, which differ when a repository was moved, or in a container."""

    def _get_run_info_from_dir(self, run_dir: str) -> Any:
        info = super()._get_run_info_from_dir(run_dir)
        if info.artifact_uri.startswith("file:"):
            info._artifact_uri = Path(run_dir, "artifacts").absolute().as_uri()
        return info

    def _get_model_info_from_dir(self, model_dir: str) -> dict[str, Any]:
        info: dict[str, Any] = super()._get_model_info_from_dir(model_dir)
        if info["artifact_location"].startswith("file:"):
            info["artifact_location"] = Path(model_dir, "artifacts").absolute().as_uri()
        return info
