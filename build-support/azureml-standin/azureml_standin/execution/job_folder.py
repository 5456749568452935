"""Make the local workspace's folder of a job from the files that were uploaded for it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.files import copy_file
from azureml_jobs.local.create_command import CommandSpec, Place, command_record
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import ResolvedInput
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_plan import UnitRun
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.workspace import LocalWorkspace
from azureml_standin.clouds import storage_location
from azureml_standin.control_plane.asset_checks import References
from azureml_standin.control_plane.resources import DATASTORES, resolved, snake_keys
from azureml_standin.storage.blobs import Blobs

_DATASTORE_URI = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+/(?:providers/[^/]+/)?"
    r"workspaces/[^/]+/)?"
    r"datastores/([^/]+)/(?:paths/)?(.*)"
)
# What says where an asset is, by its kind.
_URIS = ("codeUri", "dataUri", "modelUri")
_SECONDS = {"D": 86400, "H": 3600, "M": 60, "S": 1}


@dataclass(frozen=True)
class JobFolderBuilder:
    """`folder` is the service's: it is a local workspace, and its jobs read data below it."""

    references: References
    blobs: Blobs
    folder: Path

    def build(
        self, name: str, properties: Mapping[str, Any], runtime: Runtime, python: str, place: Place
    ) -> None:
        """Write the folder; it appears when it is complete. Raises `JobError` for missing files."""
        inputs = {
            key: self._input(key, given, self.folder / "inputs" / name / key)
            for key, given in (properties.get("inputs") or {}).items()
        }
        code_id = properties.get("codeId")
        spec = CommandSpec(
            _as_file(properties),
            name,
            UnitRun(runtime, python, "", "", ""),
            inputs,
            properties.get("experimentName") or "Default",
            code=JobRecord.code if code_id else "",
            place=place,
        )

        def write(temporary: JobFolder, final: JobFolder) -> JobRecord:
            if code_id:
                self._bring("code", code_id, temporary.path / spec.code)
            return command_record(spec, final)

        LocalWorkspace(self.folder).new_job(name, write, name)

    def _input(self, name: str, given: Mapping[str, Any], target: Path) -> ResolvedInput:
        if given["jobInputType"] == "literal":
            return ResolvedInput("literal", given["value"])
        # A service that was killed may have left a part of it.
        shutil.rmtree(target, ignore_errors=True)
        found = self._bring(f"inputs.{name}", given["uri"], target)
        mode = "rw_mount" if given.get("mode") == "ReadWriteMount" else None
        return ResolvedInput("path", str(found), given["uri"], mode)

    def _location(self, where: str, uri: str) -> tuple[str, str]:
        """Return container and path of the data at an address."""
        if asset := self.references.version(uri):
            known = asset["properties"]
            return self._location(where, next(known[key] for key in _URIS if key in known))
        uri = resolved(uri)
        datastore = _DATASTORE_URI.fullmatch(uri)
        if datastore and datastore[1] in DATASTORES:
            return DATASTORES[datastore[1]], datastore[2].strip("/")
        location = storage_location(uri)
        if location is None or not self.blobs.state.has_container(location[0]):
            remedy = "Name data that is in the storage of the stand-in's workspace."
            raise JobError(where, f"the stand-in does not fetch {uri}", remedy)
        return location

    def _bring(self, where: str, uri: str, target: Path) -> Path:
        """Write the blob at an address, or all blobs below it, into a folder; return where."""
        container, path = self._location(where, uri)
        own = self.blobs.blob(container, path) if path else None
        if own is not None:
            copy_file(own.file, target / PurePosixPath(path).name)
            return target / PurePosixPath(path).name
        prefix = f"{path}/" if path else ""
        blobs = self.blobs.blobs(container, prefix)
        if not blobs:
            raise JobError(where, f"there is no data at {uri}")
        for blob in blobs:
            parts = PurePosixPath(name := blob.name[len(prefix) :]).parts
            # A blob's name may lead out of the folder.
            if parts and ".." not in parts and not name.startswith("/") and name[-1] != "/":
                copy_file(blob.file, target.joinpath(*parts))
        return target


def _as_file(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job as its job file has it."""
    resources = snake_keys(properties.get("resources") or {})
    distribution = properties.get("distribution")
    variables = properties.get("environmentVariables") or {}
    return {
        "command": properties["command"],
        "display_name": properties.get("displayName"),
        "description": properties.get("description"),
        "tags": properties.get("tags"),
        "environment_variables": {key: value or "" for key, value in variables.items()},
        "outputs": {
            key: {"type": given["jobOutputType"]}
            for key, given in (properties.get("outputs") or {}).items()
        },
        "limits": {"timeout": _seconds((properties.get("limits") or {}).get("timeout"))},
        "resources": {
            "instance_count": resources.get("instance_count") or 1,
            "shm_size": resources.get("shm_size"),
            "docker_args": resources.get("docker_args_list") or resources.get("docker_args"),
        },
        "distribution": distribution and _distribution(distribution),
    }


def _distribution(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `distribution` of a job, or of a step, whose type has another key."""
    found = snake_keys(given)
    kind = found.pop("distribution_type", None) or found["type"]
    return {**found, "type": str(kind).lower()}


def _seconds(duration: str | int | None) -> float:
    """Return the seconds of a limit such as `PT1H30M` (ISO 8601); 0 for a job without limit.

    Sweeps in pipelines have seconds.
    """
    if isinstance(duration, int):
        return duration
    parts = re.findall(r"([\d.]+)([DHMS])", duration or "")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
