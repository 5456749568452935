"""A workspace, connected by its documented REST interface: its resources and its data plane.

https://learn.microsoft.com/rest/api/azureml
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any
from urllib.parse import quote, urlencode

from azureml_jobs.azure.answers import ServiceError, any_answer, json_object, resource
from azureml_jobs.azure.clouds import find_cloud
from azureml_jobs.azure.connection import SUCCESS, Check, Connection
from azureml_jobs.azure.sign_in import SignIn
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.parallel import BackgroundCall
from azureml_jobs.base.workspace_config import AzureWorkspace

API_VERSION = "2024-04-01"
DEFAULT_DATASTORE = "workspaceblobstore"


class ConnectedWorkspace:
    """`config` says which workspace, `cloud` where its services are.

    Signing in begins at once, in the background.
    """

    def __init__(self, config: AzureWorkspace, login: bool = False) -> None:
        # Whatever the environment says: without it, importing azure-ai-ml takes 4 s, not 1.
        sys.dont_write_bytecode = False
        self.config = config
        self.cloud = find_cloud(config.cloud, config.cloud_source)
        self.sign_in = SignIn(self.cloud, login)
        # Whoever needs the token meets the same error.
        BackgroundCall(partial(self.sign_in.token, self.cloud.management_scope))
        self.connection = Connection(self.sign_in, is_trusted=self.cloud.owns)
        # Several threads may need it; it is fetched once.
        self._lock = threading.Lock()
        self._data_plane = ""

    def get(self, *path: str, **query: str) -> Any:
        """Return the resource at a path below the workspace, None when there is none."""
        return self.read(resource, "GET", self._url(path, query), accept=(200, 404))

    def put(self, *path: str, body: Mapping[str, Any]) -> Any:
        return self.read(resource, "PUT", self._url(path), body=body)

    def post(self, *path: str, body: Mapping[str, Any]) -> Any:
        return self.read(json_object, "POST", self._url(path), body=body)

    def send(self, method: str, *path: str) -> None:
        self.read(any_answer, method, self._url(path))

    def pages(self, *path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of a list that comes in pages."""
        page = self.get(*path, **query) or {}
        while True:
            yield from page.get("value") or ()
            following = page.get("nextLink")
            if not following:
                return
            page = self.read(resource, "GET", following)

    def asset_id(self, *path: str) -> str:
        return "/".join((self.config.resource_id, *path))

    @cached_property
    def details(self) -> dict[str, Any]:
        """The workspace itself: its `location`, its `properties`. Raises `OutsideError`."""
        details: dict[str, Any] | None = self.get()
        if details is None:
            raise OutsideError(
                self.config.source,
                f"there is no workspace {self.config.name} in {self.config.resource_group}",
                "Check the three values there, and the account that you signed in with.",
            )
        return details

    def history(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        patience: float | None = None,
        service: str = "history",
    ) -> Any:
        """Send a request to the run history, which has the times and logs of runs.

        `service` is another one of the data plane. Returns None for a GET of what it does not have.
        """
        with self._lock:
            if not self._data_plane:
                discovery = str(self.details["properties"]["discoveryUrl"])
                urls = self.read(json_object, "GET", discovery, patience=patience)
                self._data_plane = str(urls["api"]).rstrip("/")
        url = f"{self._data_plane}/{service}/v1.0{self.config.resource_id}/{path}"
        accept = (200, 404) if method == "GET" else SUCCESS
        return self.read(json_object, method, url, body=body, accept=accept, patience=patience)

    def studio_link(self, job: str) -> str:
        config = self.config
        return (
            f"{self.cloud.machine_learning}/runs/{job}?wsid=/subscriptions/{config.subscription_id}"
            f"/resourcegroups/{config.resource_group}/workspaces/{config.name}"
        )

    def _url(self, path: tuple[str, ...], query: Mapping[str, str] = {}) -> str:
        below = "".join(f"/{quote(part, safe='')}" for part in path)
        arguments = urlencode({"api-version": API_VERSION, **query})
        return f"{self.cloud.resource_manager}{self.config.resource_id}{below}?{arguments}"

    def read(self, parse: Check, method: str, url: str, **how: Any) -> Any:
        """Return what `parse` makes of an answer; `how` as for `Connection.request`."""
        scope = self.cloud.management_scope
        return self.connection.read(parse, method, url, scope=scope, **how)


def artifacts_address(job: str) -> str:
    """Return the address of the logs and artifacts of a job."""
    return f"azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{job}/"


def put_once(
    workspace: ConnectedWorkspace, *path: str, properties: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Make a version of an asset, and return None; or return the one that is there already."""
    try:
        workspace.put(*path, body={"properties": properties})
        return None
    except ServiceError as error:
        if error.status_code not in (400, 409):
            raise
        # Another submission was faster, or a response was lost.
        existing: dict[str, Any] | None = workspace.get(*path)
        if existing is None:
            raise
        return existing


def job_of(workspace: ConnectedWorkspace, name: str) -> dict[str, Any]:
    """Return the job as the service has it. Raises `JobError` for an unknown name."""
    job: dict[str, Any] | None = workspace.get("jobs", name)
    if job is None:
        raise JobError(
            name,
            f"{workspace.config.name} has no such job",
            "`./pants run :aml -- jobs list` lists them; with `--local`, those of this machine.",
        )
    if job["properties"] is None:
        # Only run history knows what a step of a pipeline is.
        run = workspace.history("GET", f"runs/{name}")
        root = workspace.get("jobs", str(run["rootRunId"]))
        return job_of_run(run, str(root["properties"]["experimentName"]))
    return job


def job_of_run(run: Mapping[str, Any], experiment: str) -> dict[str, Any]:
    """Return a run as if it was a job that was submitted."""
    kind = str(run.get("runType") or "").lower()
    types = {"pipeline": "Pipeline", "hyperdrive": "Sweep", "automl": "AutoML"}
    return {
        "name": run["runId"],
        "systemData": {"createdAt": run.get("createdUtc")},
        "properties": {
            "jobType": next((types[word] for word in types if word in kind), "Command"),
            "parent": run.get("parentRunId") or "",
            "root": run.get("rootRunId") or "",
            "displayName": run.get("displayName"),
            "experimentName": experiment,
            "status": run["status"],
            "tags": run.get("tags"),
            "properties": run.get("properties"),
        },
    }
