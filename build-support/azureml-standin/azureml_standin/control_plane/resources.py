"""What every request to Azure Resource Manager shares: addresses, versions, checks of bodies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

from azureml_standin.clouds import Names
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.state import State

PROVIDER = "Microsoft.MachineLearningServices"
WORKSPACE = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}"
    "/workspaces/{workspace}"
)
_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-(preview|privatepreview))?")
# `specification/machinelearningservices/resource-manager/…/mfe.json` of azure-rest-api-specs.
_ASSET_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")
_JOB_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}")


@dataclass(frozen=True)
class WorkspaceAddress:
    """Where a workspace is. Compared without regard to case, as Azure does."""

    subscription: str
    group: str
    name: str

    @property
    def id(self) -> str:
        return WORKSPACE.format(
            subscription=self.subscription, group=self.group, workspace=self.name
        )


def check_api_version(request: HttpRequest) -> None:
    version = request.query.get("api-version", "")
    if not _API_VERSION.fullmatch(version) or version[:4] < "2020":
        raise HttpError(
            400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid."
        )


def check_asset_name(name: str, version: str) -> None:
    for each in (name, version):
        if not _ASSET_NAME.fullmatch(each):
            raise user_error(f"'{each}' is no name: 1 to 255 letters, digits, '-', '_' and '.'.")


def check_job_name(name: str) -> None:
    if not _JOB_NAME.fullmatch(name):
        raise user_error(f"'{name}' is no name: 1 to 255 letters, digits, '-' and '_'.")


def user_error(message: str, status: int = 400) -> HttpError:
    """Azure ML's own code for a request that is wrong (`UserError`, as azure-ai-ml expects)."""
    return HttpError(status, "UserError", message)


def not_found(what: str) -> HttpError:
    return HttpError(404, "ResourceNotFound", f"{what} was not found.")


def found(state: State, kind: str, name: str) -> dict[str, Any]:
    """Return a resource that is kept under its path below the workspace. Raises `HttpError` 404."""
    content = state.document(kind, name)
    if content is None:
        raise not_found(f"{kind}/{name}")
    return content


def properties_of(request: HttpRequest) -> dict[str, Any]:
    """Return the `properties` of a body, which every resource has."""
    properties = request.json().get("properties")
    if not isinstance(properties, dict):
        raise HttpError(400, "InvalidRequestContent", "The body has no object 'properties'.")
    return properties


def required(properties: Mapping[str, Any], key: str, kind: type = str) -> Any:
    """Return the value of a required property. Raises `HttpError` if it is empty or missing."""
    value = properties.get(key)
    if not isinstance(value, kind) or not value:
        raise HttpError(400, "ValidationError", f"properties.{key} is required.")
    return value


def one_of(properties: Mapping[str, Any], key: str, values: Sequence[str]) -> str:
    value = required(properties, key)
    if value not in values:
        raise HttpError(
            400, "ValidationError", f"properties.{key} is '{value}', not of {', '.join(values)}."
        )
    return str(value)


def texts(properties: Mapping[str, Any], key: str) -> dict[str, str | None]:
    """Return an optional property that maps texts to texts; numbers become text.

    azure-ai-ml sends the version of its hashes as a number, and gets it back as a text.
    """
    value = properties.get(key) or {}
    if not isinstance(value, dict) or any(isinstance(e, (dict, list)) for e in value.values()):
        raise HttpError(400, "ValidationError", f"properties.{key} must map texts to texts.")
    return {name: None if each is None else str(each) for name, each in value.items()}


def resource(id_: str, kind: str, properties: Mapping[str, Any], created: str) -> dict[str, Any]:
    """Return a resource in the format of the control plane."""
    return {
        "id": id_,
        "name": id_.rpartition("/")[2],
        "type": f"{PROVIDER}/{kind}",
        "properties": dict(properties),
        "systemData": {
            **{"createdAt": created, "createdBy": "Stand-in"},
            **{"lastModifiedAt": now(), "lastModifiedBy": "Stand-in"},
        },
    }


def viewed(request: HttpRequest, every: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a list shows: by default what is not archived."""
    view = request.query.get("listViewType", "ActiveOnly").lower()
    return [
        each
        for each in every
        if view == "all" or bool(each["properties"].get("isArchived")) is (view == "archivedonly")
    ]


def page(request: HttpRequest, given: Iterable[Mapping[str, Any]], size: int = 100) -> HttpResponse:
    """One page of a list, with the address of the next (`nextLink`) where there is one."""
    every = list(given)
    skip = int(request.query.get("$skip") or 0)
    content: dict[str, Any] = {"value": every[skip : skip + size]}
    if len(every) > skip + size:
        query = urlencode({**request.query, "$skip": str(skip + size)})
        content["nextLink"] = f"{Names.of(request).base}{request.raw_path}?{query}"
    return json_response(content)


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
