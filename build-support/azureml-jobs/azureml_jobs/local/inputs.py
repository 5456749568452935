"""Resolve the inputs of a job file to values and local paths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.expressions import literal_text

_FILE_TYPES = frozenset({"uri_file"})
# A custom model may be a file or a folder.
_FOLDER_TYPES = frozenset({"uri_folder", "mltable", "mlflow_model", "triton_model"})
_REMOTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_ASSET = re.compile(r"azureml:([A-Za-z0-9][\w.-]*)(?:(:)([A-Za-z0-9][\w.-]*)|@([\w-]+))?")


@dataclass(frozen=True)
class ResolvedInput:
    """`value` is what `${{inputs.<name>}}` stands for: a literal's text, or an absolute path."""

    kind: str
    value: str
    asset: str | None = None
    mode: str | None = None

    def as_data(self) -> dict[str, Any]:
        """Return what records keep of it."""
        return {"kind": self.kind, "value": self.value, "asset": self.asset}


def resolve_inputs(job: Mapping[str, Any], job_file: Path, repo: Path) -> dict[str, ResolvedInput]:
    """Find the inputs of `job` from the folder of `job_file` or among the repository's data.

    Raises `JobError` that names the key of the first input that this machine does not have.
    """
    return {
        str(name): _Input(str(name), given, job_file, repo).resolve()
        for name, given in (job.get("inputs") or {}).items()
    }


class MissingData(JobError):
    """This machine does not have the data of an input."""


def missing_inputs(job: Mapping[str, Any], job_file: Path, repo: Path) -> list[JobError]:
    """Return an error for each input that this machine does not have; raise any other error."""
    errors: list[JobError] = []
    for name, given in (job.get("inputs") or {}).items():
        try:
            resolve_inputs({"inputs": {name: given}}, job_file, repo)
        except MissingData as error:
            errors.append(error)
    return errors


class _Input:
    def __init__(self, name: str, given: Any, job_file: Path, repo: Path) -> None:
        self.name = name
        self.given = given
        self.job_file = job_file
        self.repo = repo
        self.type = str(given.get("type", "uri_folder")) if isinstance(given, Mapping) else ""

    def resolve(self) -> ResolvedInput:
        if not isinstance(self.given, Mapping):
            return self._literal(self.given)
        if "value" in self.given:
            return self._literal(self.given["value"])
        path = self.given.get("path")
        if not isinstance(path, str) or not path:
            raise self._error(
                "the input names no path",
                "Write `path:` with a path or `azureml:<name>:<version>`.",
                "",
            )
        asset = None
        if path.startswith("azureml:") and not path.startswith("azureml://"):
            asset, found = path, self._asset_path(path)
        elif _REMOTE.match(path):
            raise self._missing(
                f"the local workspace does not fetch {path}",
                f"Put a copy under {self._relative(self.repo / 'data')}/{self.name} and run with\n"
                f"`--set inputs.{self.name}.path=azureml:{self.name}:1`, which is found there.\n"
                f"In Azure ML the job file works as it is.",
            )
        else:
            found = self._local_path(path)
        mode = self.given.get("mode")
        return ResolvedInput(
            "path", str(self._of_type(found)), asset, None if mode is None else str(mode)
        )

    def _literal(self, value: Any) -> ResolvedInput:
        if value is None or isinstance(value, (list, Mapping)):
            raise self._error(
                "the input has no value that a command can take",
                f"Write `{self.name}: <text, number, true or false>`, or a `type:` with a `path:`.",
                "",
            )
        return ResolvedInput("literal", literal_text(value))

    def _local_path(self, path: str) -> Path:
        # Not `resolve()`: the command should get the path that its user knows.
        found = Path(os.path.normpath(self.job_file.absolute().parent / path))
        if not found.exists():
            raise self._missing(
                f"{path} does not exist",
                f"Looked for {self._relative(found)}. Paths are relative to the job file.\n"
                "Put the data there, or write the path of data that exists.",
            )
        return found

    def _asset_path(self, path: str) -> Path:
        match = _ASSET.fullmatch(path)
        if match is None or not (match[3] or match[4] == "latest"):
            raise self._error(
                f"{path} is not the name of a version of data",
                "Write `azureml:<name>:<version>` or `azureml:<name>@latest`.",
            )
        name, version = match[1], match[3]
        folder = self.repo / "data" / name
        versions = data_versions(folder)
        if version is None:
            # In Azure ML the latest version is the newest one, here that of the highest number.
            version = max(versions, key=int) if versions else "1"
        found = folder / version
        if found.exists():
            return found
        # A folder without versions serves as every version.
        if folder.exists() and not versions:
            return folder
        remedy = f"Looked for {self._relative(found)} and {self._relative(folder)}."
        if versions:
            listed = ", ".join(f"azureml:{name}:{each}" for each in versions)
            remedy = f"Looked for {self._relative(found)}. There are {listed}."
        raise self._missing(
            f"{path} is not among the data of the local workspace",
            f"{remedy}\nPut a copy of the data there, or write the path of local data.",
        )

    def _of_type(self, found: Path) -> Path:
        if self.type in _FILE_TYPES and found.is_dir():
            files = [each for each in sorted(found.iterdir()) if each.is_file()]
            files = [each for each in files if not each.name.startswith(".")]
            # A version of a data asset is a folder, here one with the asset's only file.
            if str(self.given["path"]).startswith("azureml:") and len(files) == 1:
                return files[0]
            remedy = "Write `type: uri_folder`, or the path of a file."
            if files:
                example = os.path.join(str(self.given["path"]), files[0].name)
                if not example.startswith("azureml:"):
                    remedy += f" For example `path: {example}`."
            raise self._error(
                f"`type: {self.type}` is given a folder, {self._relative(found)}", remedy
            )
        if self.type in _FOLDER_TYPES and not found.is_dir():
            raise self._error(
                f"`type: {self.type}` is given a file, {self._relative(found)}",
                "Write `type: uri_file`, or the path of a folder.",
            )
        return found

    def _error(self, what: str, remedy: str, key: str = ".path") -> JobError:
        return JobError(self._where(key), what, remedy)

    def _missing(self, what: str, remedy: str) -> JobError:
        return MissingData(self._where(".path"), what, remedy)

    def _where(self, key: str) -> str:
        return f"{self._relative(self.job_file)}: inputs.{self.name}{key}"

    def _relative(self, path: Path) -> str:
        try:
            return str(path.relative_to(self.repo))
        except ValueError:
            return str(path)


def data_versions(folder: Path) -> list[str]:
    """Return the versions in `folder`: its folders and files named by a number, lowest first."""
    try:
        return sorted((each for each in os.listdir(folder) if each.isdigit()), key=int)
    except OSError:
        return []
