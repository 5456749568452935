"""Where jobs write: logs and artifacts, and each named output."""

from __future__ import annotations

import re

from azureml_standin.control_plane.descriptions import ARTIFACT_STORE, BLOB_STORE

_OF_JOB = re.compile(r"azureml://jobs/([^/]+)/outputs/([^/]+)(?:/paths/?(.*?))?/?")


def artifact_prefix(job: str) -> str:
    """Return where the artifacts of a job are in the container of the artifact store."""
    return f"ExperimentRun/dcid.{job}"


def output_path(job: str, output: str, kind: str) -> str:
    """Return where a named output is in the container of the blob store.

    A file lies in the output's folder under the output's name.
    """
    return f"azureml/{job}/{output}/" + (output if kind == "uri_file" else "")


def output_address(job: str, output: str, kind: str) -> str:
    return f"azureml://datastores/{BLOB_STORE}/paths/{output_path(job, output, kind)}"


def resolved(address: str) -> str:
    """Return an address in a datastore for one such as `azureml://jobs/x/outputs/y/paths/z`."""
    match = _OF_JOB.fullmatch(address)
    if match is None:
        return address
    job, output, path = match.groups()
    if output in ("artifacts", "default"):
        base = f"azureml://datastores/{ARTIFACT_STORE}/paths/{artifact_prefix(job)}/"
    else:
        base = output_address(job, output, "uri_folder")
    return base + (path or "")
