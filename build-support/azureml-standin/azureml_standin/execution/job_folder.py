"""Make the local workspace's folder of a job from the files that were uploaded for it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.expressions import render
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import ResolvedInput
from azureml_jobs.local.mounts import container_paths, host_paths, job_container, resource_arguments
from azureml_jobs.local.outputs import ResolvedOutput, resolve_outputs
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.runtimes import Runtime
from azureml_standin.control_plane.assets import Assets
from azureml_standin.control_plane.descriptions import ARTIFACT_CONTAINER, BLOB_CONTAINER
from azureml_standin.control_plane.job_outputs import resolved
from azureml_standin.storage.addresses import storage_location
from azureml_standin.storage.blobs import BlobStorage

_VERSION_ID = re.compile(
    r".*/(?P<kind>codes|data|models)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)", re.IGNORECASE
)
_VERSION_NAME = re.compile(r"azureml:(?P<name>[^:/]+):(?P<version>[^:/]+)")
_DATASTORE_URI = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+/(?:providers/[^/]+/)?"
    r"workspaces/[^/]+/)?"
    r"datastores/([^/]+)/(?:paths/)?(.*)"
)
_CONTAINERS = {"workspaceblobstore": BLOB_CONTAINER, "workspaceartifactstore": ARTIFACT_CONTAINER}
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


class JobFolderBuilder:
    def __init__(self, assets: Assets, blobs: BlobStorage) -> None:
        self._assets = assets
        self._blobs = blobs

    def build(
        self,
        name: str,
        properties: Mapping[str, Any],
        folder: JobFolder,
        python: str,
        runtime: Runtime,
    ) -> None:
        """Write the folder; it appears when it is complete. Raises `JobError` for missing files."""
        temporary = JobFolder(folder.path.parent / f".new-{name}")
        shutil.rmtree(temporary.path, ignore_errors=True)
        try:
            (temporary.bundle / "code").mkdir(parents=True)
            if properties.get("codeId"):
                self._fetch_code(name, properties["codeId"], temporary.bundle / "code")
            record = self._record(name, properties, temporary, folder, python, runtime)
            temporary.save(record)
            os.rename(temporary.path, folder.path)
        except BaseException:
            shutil.rmtree(temporary.path, ignore_errors=True)
            raise

    def _record(
        self,
        name: str,
        properties: Mapping[str, Any],
        temporary: JobFolder,
        folder: JobFolder,
        python: str,
        runtime: Runtime,
    ) -> JobRecord:
        inputs = {
            key: self._input(key, given, temporary, folder)
            for key, given in (properties.get("inputs") or {}).items()
        }
        outputs = _outputs(properties, folder)
        container = None
        paths = host_paths(inputs, outputs)
        if runtime.image:
            # Whether an input is a file shows only in the temporary folder.
            paths = container_paths(name, _relocated(inputs, folder, temporary), outputs)
            arguments = resource_arguments({"resources": _resources(properties)}, name)
            container = job_container(folder, runtime, inputs, outputs, paths, arguments)
        return JobRecord(
            name=name,
            display_name=properties.get("displayName") or name,
            experiment_name=properties.get("experimentName") or "Default",
            description=properties.get("description") or "",
            command=_rendered_command(properties["command"], inputs, outputs, paths),
            runtime=runtime.name,
            container=container.as_data() if container else None,
            python=python,
            paths=paths,
            tags=dict(properties.get("tags") or {}),
            inputs={
                key: {"kind": given.kind, "value": given.value, "asset": given.asset}
                for key, given in inputs.items()
            },
            outputs={key: str(given.path) for key, given in outputs.items()},
            environment_variables=_environment_variables(properties),
            timeout=_timeout(properties),
        )

    def _fetch_code(self, name: str, code_id: str, target: Path) -> None:
        match = _VERSION_ID.fullmatch(code_id)
        found = match and self._assets.version("codes", match["name"], match["version"])
        if not found:
            raise JobError(name, f"its code {code_id} does not exist")
        location = storage_location(found["properties"]["codeUri"])
        if location is None or not self._fetch(*location, target):
            raise JobError(name, f"its code {found['properties']['codeUri']} has no files")

    def _input(
        self, name: str, given: Mapping[str, Any], temporary: JobFolder, folder: JobFolder
    ) -> ResolvedInput:
        if given["jobInputType"] == "literal":
            return ResolvedInput("literal", given["value"])
        uri = given["uri"]
        container, path = self._location(name, uri)
        target = temporary.path / "inputs" / name
        if not self._fetch(container, path, target):
            raise JobError(f"inputs.{name}", f"there is no data at {uri}")
        final = folder.path / "inputs" / name
        if (target / _ITSELF).is_file():
            # The address names a file.
            file = PurePosixPath(path).name
            os.rename(target / _ITSELF, target / file)
            final = final / file
        mode = "rw_mount" if given.get("mode") == "ReadWriteMount" else None
        return ResolvedInput("path", str(final), uri, mode)

    def _location(self, name: str, uri: str) -> tuple[str, str]:
        """Return container and path of the data at the address of an input."""
        uri = resolved(uri)
        match = _VERSION_ID.fullmatch(uri) or _VERSION_NAME.fullmatch(uri)
        if match:
            kind = match["kind"].lower() if "kind" in match.re.groupindex else "data"
            found = self._assets.version(kind, match["name"], match["version"])
            if found is None:
                raise JobError(f"inputs.{name}", f"{uri} does not exist")
            key = "dataUri" if kind == "data" else "modelUri"
            return self._location(name, found["properties"][key])
        datastore = _DATASTORE_URI.fullmatch(uri)
        if datastore and datastore[1] in _CONTAINERS:
            return _CONTAINERS[datastore[1]], datastore[2].strip("/")
        location = storage_location(uri)
        if location is None or not self._blobs.state.has_container(location[0]):
            raise JobError(
                f"inputs.{name}",
                f"the stand-in does not fetch {uri}",
                "Name data that is in the storage of the stand-in's workspace.",
            )
        return location

    def _fetch(self, container: str, path: str, target: Path) -> bool:
        """Write the blob at `path` or all blobs below it; return whether there was one."""
        own = self._blobs.blob(container, path) if path else None
        if own is not None:
            _copy(own.file, target / _ITSELF)
            return True
        prefix = f"{path}/" if path else ""
        blobs = self._blobs.blobs(container, prefix)
        for blob in blobs:
            file = _path_below(target, blob.name[len(prefix) :])
            if file is not None:
                _copy(blob.file, file)
        return bool(blobs)


# Replaces the empty name of a blob that an address names itself; no blob has this name.
_ITSELF = ".\N{FULL BLOCK}"


def _outputs(properties: Mapping[str, Any], folder: JobFolder) -> dict[str, ResolvedOutput]:
    types = {
        key: {"type": given["jobOutputType"]}
        for key, given in (properties.get("outputs") or {}).items()
    }
    return resolve_outputs({"outputs": types}, folder)


def _environment_variables(properties: Mapping[str, Any]) -> dict[str, str]:
    variables = properties.get("environmentVariables") or {}
    return {key: value or "" for key, value in variables.items()}


def _rendered_command(
    command: str,
    inputs: Mapping[str, ResolvedInput],
    outputs: Iterable[str],
    paths: Mapping[str, str],
) -> str:
    return render(
        command,
        {key: paths.get(f"inputs.{key}", given.value) for key, given in inputs.items()},
        {key: paths[f"outputs.{key}"] for key in outputs},
        paths=set(paths),
    )


def _path_below(target: Path, name: str) -> Path | None:
    """Return the path of a blob below `target`; None for a name that leads out of it."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or name.endswith("/"):
        return None
    return target.joinpath(*parts)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _relocated(
    inputs: Mapping[str, ResolvedInput], folder: JobFolder, target: JobFolder
) -> dict[str, ResolvedInput]:
    """Return `inputs` with the paths below `folder` replaced by the same paths below `target`."""

    def relocated(given: ResolvedInput) -> ResolvedInput:
        if given.kind != "path":
            return given
        return replace(given, value=str(target.path / Path(given.value).relative_to(folder.path)))

    return {key: relocated(given) for key, given in inputs.items()}


def _resources(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a job file's `resources` that become arguments of Docker."""
    given = properties.get("resources") or {}
    arguments = given.get("dockerArgsList") or given.get("dockerArgs")
    return {"shm_size": given.get("shmSize"), "docker_args": arguments}


def _timeout(properties: Mapping[str, Any]) -> float | None:
    """Return the seconds of a limit such as `PT1H30M` (ISO 8601); None for a job without limit."""
    duration = (properties.get("limits") or {}).get("timeout")
    match = _DURATION.fullmatch(duration or "")
    if not duration or match is None:
        return None
    days, hours, minutes, seconds = (float(each or 0) for each in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
