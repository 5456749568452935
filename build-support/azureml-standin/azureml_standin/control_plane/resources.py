"""What requests to Azure Resource Manager share: addresses, datastores, checks of bodies."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from azureml_jobs.base.job_status import now
from azureml_standin.clouds import Names
from azureml_standin.http.messages import HttpError, HttpRequest
from azureml_standin.state import State

PROVIDER = "Microsoft.MachineLearningServices"
WORKSPACE = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}"
    "/workspaces/{workspace}"
)
# Where the only one is, by the segments of that path.
PLACE = {
    "subscription": "00000000-0000-4000-8000-00000000c10d",
    "group": "standin-group",
    "workspace": "standin-workspace",
}
WORKSPACE_ID = WORKSPACE.format(**PLACE)
BLOB_STORE = "workspaceblobstore"
ARTIFACT_STORE = "workspaceartifactstore"
# The container of each.
DATASTORES = {BLOB_STORE: "azureml-blobstore-standin", ARTIFACT_STORE: "azureml"}
ARTIFACT_CONTAINER = DATASTORES[ARTIFACT_STORE]

_DATASTORES = (
    "azureml://subscriptions/{subscription}/resourcegroups/{group}/workspaces/{workspace}"
    "/datastores/"
).format(**PLACE)
_OF_JOB = re.compile(r"azureml://jobs/([^/]+)/outputs/([^/]+)(?:/paths/?(.*?))?/?")
_API_VERSION = re.compile(r"20[2-9]\d-\d{2}-\d{2}(-(preview|privatepreview))?")


def check_api_version(request: HttpRequest) -> None:
    version = request.query.get("api-version", "")
    if not _API_VERSION.fullmatch(version):
        message = f"The api-version '{version}' is invalid."
        raise HttpError(400, "InvalidApiVersionParameter", message)


def check_name(*names: str, marks: str = "_-") -> None:
    """`specification/machinelearningservices/resource-manager/…/mfe.json` of azure-rest-api-specs.

    Jobs may have these `marks` in their names, assets dots as well.
    """
    for name in names:
        if not re.fullmatch(rf"[a-zA-Z0-9][a-zA-Z0-9{marks}]{{0,254}}", name):
            raise user_error(f"'{name}' is no name: 1 to 255 letters, digits, and any of {marks}")


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
    value = str(required(properties, key))
    if value not in values:
        message = f"properties.{key} is '{value}', not of {', '.join(values)}."
        raise HttpError(400, "ValidationError", message)
    return value


def texts(properties: Mapping[str, Any], key: str) -> dict[str, str | None]:
    """Return an optional property that maps texts to texts; numbers become text.

    azure-ai-ml sends the version of its hashes as a number, and gets it back as a text.
    """
    value = properties.get(key) or {}
    if not isinstance(value, dict) or any(isinstance(e, (dict, list)) for e in value.values()):
        raise HttpError(400, "ValidationError", f"properties.{key} must map texts to texts.")
    return {name: None if each is None else str(each) for name, each in value.items()}


def snake_keys(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with the keys of YAML in place of those of the control plane."""
    return {re.sub("[A-Z]", r"_\g<0>", key).lower(): value for key, value in given.items()}


def fixed(content: Mapping[str, Any], mutable: Collection[str]) -> dict[str, Any]:
    """Return the properties that a PUT may not change; an empty one is one that is left out."""
    return {
        key: value
        for key, value in content.items()
        if key not in mutable and value not in (None, {}, [], "")
    }


def resource(
    path: str, properties: Mapping[str, Any], present: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a resource in the format of the control plane, made now unless it is `present`.

    `path` is where it is below the workspace, with a slash; empty for the workspace itself.
    """
    id_ = WORKSPACE_ID + path
    created = present["systemData"]["createdAt"] if present else now()
    return {
        "id": id_,
        "name": id_.rpartition("/")[2],
        "properties": dict(properties),
        "systemData": {"createdAt": created, "lastModifiedAt": now()},
    }


def viewed(request: HttpRequest, every: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a list shows: by default what is not archived."""
    view = request.query.get("listViewType", "ActiveOnly").lower()
    return [
        each
        for each in every
        if view == "all" or bool(each["properties"].get("isArchived")) is (view == "archivedonly")
    ]


def page(
    request: HttpRequest, given: Iterable[Mapping[str, Any]], size: int = 100
) -> dict[str, Any]:
    """Return one page of a list, with the address of the next (`nextLink`) where there is one."""
    every = list(given)
    skip = int(request.query.get("$skip") or 0)
    content: dict[str, Any] = {"value": every[skip : skip + size]}
    if len(every) > skip + size:
        query = urlencode({**request.query, "$skip": str(skip + size)})
        content["nextLink"] = f"{Names.of(request).base}{request.raw_path}?{query}"
    return content


def artifact_prefix(job: str) -> str:
    """Return where the artifacts of a job are in the container of the artifact store."""
    return f"ExperimentRun/dcid.{job}"


def output_address(job: str, output: str, kind: str = "uri_folder") -> str:
    """Return where a named output is. A file lies in its folder under the output's name."""
    path = f"azureml/{job}/{output}/" + (output if kind == "uri_file" else "")
    return f"azureml://datastores/{BLOB_STORE}/paths/{path}"


def output_addresses(job: str, properties: Mapping[str, Any]) -> dict[str, str]:
    """Return where the outputs of a job are, by their names."""
    return {
        key: output_address(job, key, given["jobOutputType"])
        for key, given in (properties.get("outputs") or {}).items()
    }


def resolved(address: str) -> str:
    """Return an address in a datastore for one such as `azureml://jobs/x/outputs/y/paths/z`."""
    match = _OF_JOB.fullmatch(address)
    if match is None:
        return address
    job, output, path = match.groups()
    base = output_address(job, output)
    if output in ("artifacts", "default"):
        base = f"azureml://datastores/{ARTIFACT_STORE}/paths/{artifact_prefix(job)}/"
    return base + (path or "")


def whole_address(address: str) -> str:
    """Return the same with the workspace in it, as clients keep it."""
    return resolved(address).replace("azureml://datastores/", _DATASTORES)
