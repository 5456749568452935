"""A workspace in Azure as a store of MLflow: its service speaks a part of MLflow's interface.

Imported after the settings of MLflow are made, because it reads them when it is imported.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from azureml_jobs.azure.answers import json_object
from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.download import files_at
from azureml_jobs.azure.workspace import ConnectedWorkspace, artifacts_address
from azureml_jobs.base.errors import JobError
from mlflow.entities import FileInfo  # pants: no-infer-dep
from mlflow.exceptions import MlflowException  # pants: no-infer-dep
from mlflow.server import handlers  # pants: no-infer-dep
from mlflow.store.artifact import artifact_repository_registry  # pants: no-infer-dep
from mlflow.store.artifact.artifact_repo import ArtifactRepository  # pants: no-infer-dep
from mlflow.store.entities.paged_list import PagedList  # pants: no-infer-dep
from mlflow.store.tracking.rest_store import RestStore  # pants: no-infer-dep
from mlflow.utils.proto_json_utils import parse_dict  # pants: no-infer-dep

_SCHEME = "azureml"


def use_workspace(workspace: ConnectedWorkspace) -> None:
    """Let MLflow read addresses of `azureml:` from this workspace."""
    handlers._tracking_store_registry.register(_SCHEME, partial(_Runs, workspace))
    artifacts = partial(_Artifacts, workspace)
    artifact_repository_registry._artifact_repository_registry.register(_SCHEME, artifacts)
    # Models of a workspace are not MLflow's.
    empty = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, empty, True)
    os.environ["_MLFLOW_SERVER_REGISTRY_STORE"] = Path(empty).as_uri()


class _Runs(RestStore):
    """Experiments and runs, by the tool's own connection and sign-in."""

    def __init__(self, workspace: ConnectedWorkspace, store_uri: str, artifact_uri: Any) -> None:
        super().__init__(None)
        self._workspace = workspace
        self._base = store_uri.replace(f"{_SCHEME}://", "https://", 1)

    def _call_endpoint(self, api: Any, json_body: str | None = None, *_: Any, **__: Any) -> Any:
        path, method = self._METHOD_TO_INFO[api]
        arguments = json.loads(json_body or "{}")
        query = f"?{urlencode(arguments, doseq=True)}" if method == "GET" else ""
        try:
            answer = self._workspace.read(
                json_object,
                method,
                f"{self._base}{path}{query}",
                body=None if query else arguments,
            )
        except JobError as error:
            raise MlflowException(str(error)) from error
        response = api.Response()
        parse_dict(answer, response)
        return response

    def _search_runs(
        self, experiments: Any, filter: Any, view: Any, count: Any, order: Any, token: Any
    ) -> Any:
        # The service orders by no tag.
        known = [each for each in order or () if not each.startswith("tag")]
        return super()._search_runs(experiments, filter, view, count, known, token)

    # The service has neither of these.
    def search_logged_models(self, *_: Any, **__: Any) -> Any:
        return PagedList([], None)

    def _search_datasets(self, *_: Any) -> Any:
        return []


class _Artifacts(ArtifactRepository):
    """The artifacts of a run, which are blobs of the workspace."""

    def __init__(
        self, workspace: ConnectedWorkspace, artifact_uri: str, *_: Any, **__: Any
    ) -> None:
        super().__init__(artifact_uri)
        found = re.search(r"/runs/([^/]+)/artifacts/?(.*)", artifact_uri)
        run, self._below = (found[1], found[2]) if found else ("", "")
        self._files = partial(files_at, Datastores(workspace), artifacts_address(run), "")

    def log_artifact(self, *_: Any, **__: Any) -> None:
        raise MlflowException("The page only shows artifacts.")

    log_artifacts = log_artifact

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        parent = "/".join(filter(None, (self._below, path)))
        found = {}
        for file in self._files():
            if not parent or file.path.startswith(f"{parent}/"):
                name, slash, _ = file.path.removeprefix(parent).lstrip("/").partition("/")
                shown = f"{path}/{name}" if path else name
                found[shown] = FileInfo(shown, bool(slash), None if slash else file.blob.size)
        return [found[name] for name in sorted(found)]

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        path = "/".join(filter(None, (self._below, remote_file_path)))
        file = next((each for each in self._files() if each.path == path), None)
        if file is None:
            raise MlflowException(f"There is no artifact {remote_file_path}.")
        with open(local_path, "wb") as target:
            if file.blob.size:
                file.container.read(file.blob, 0, target.write)
