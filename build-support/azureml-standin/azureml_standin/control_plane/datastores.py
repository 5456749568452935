"""The datastores of the workspace, and where jobs write in them."""

from __future__ import annotations

import re

BLOB_STORE = "workspaceblobstore"
ARTIFACT_STORE = "workspaceartifactstore"
# The container of each.
DATASTORES = {BLOB_STORE: "azureml-blobstore-standin", ARTIFACT_STORE: "azureml"}
ARTIFACT_CONTAINER = DATASTORES[ARTIFACT_STORE]

_OF_JOB = re.compile(r"azureml://jobs/([^/]+)/outputs/([^/]+)(?:/paths/?(.*?))?/?")


def artifact_prefix(job: str) -> str:
    """Return where the artifacts of a job are in the container of the artifact store."""
    return f"ExperimentRun/dcid.{job}"


def output_address(job: str, output: str, kind: str = "uri_folder") -> str:
    """Return where a named output is. A file lies in its folder under the output's name."""
    path = f"azureml/{job}/{output}/" + (output if kind == "uri_file" else "")
    return f"azureml://datastores/{BLOB_STORE}/paths/{path}"


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
