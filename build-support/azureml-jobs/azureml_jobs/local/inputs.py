"""Resolve the inputs of a job file to values and local paths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.jobfile.expressions import literal_text
from azureml_jobs.local.job_outputs import job_output
from azureml_jobs.local.registry import asset_path

# A custom model may be a file or a folder.
_FOLDER_TYPES = frozenset({"uri_folder", "mltable", "mlflow_model", "triton_model"})
_REMOTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
# The form of Hadoop for a blob: container, account, path.
_BLOB = re.compile(r"wasbs://([^@/]+)@([^/]+)/(.+)")
_RUN = re.compile(r"runs:/([^/]+)/(.+)")


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
    """Find the inputs of `job` from the folder of `job_file`, in the workspace or at an address.

    Fetches `https:` addresses. Raises `JobError` that names the key of the first input that cannot
    be found.
    """
    return {
        str(name): resolve_input(given, job_file, ("inputs", str(name)), repo)
        for name, given in (job.get("inputs") or {}).items()
    }


def resolve_input(
    given: Any, document: str | Path, keys: Sequence[str], repo: Path, fetches: bool = True
) -> ResolvedInput:
    """Find the one input that stands at `keys` of a document of the repository.

    Its last key is its name; a path is relative to the document's folder.
    """
    return _Input(given, repo / document, keys, repo, fetches).resolve()


class MissingData(JobError):
    """This machine does not have the data of an input."""


def missing_inputs(job: Mapping[str, Any], job_file: Path, repo: Path) -> list[JobError]:
    """Return an error for each input that this machine does not have; raise any other error.

    Addresses are not asked for what they have.
    """
    errors: list[JobError] = []
    for name, given in (job.get("inputs") or {}).items():
        try:
            resolve_input(given, job_file, ("inputs", str(name)), repo, fetches=False)
        except MissingData as error:
            errors.append(error)
    return errors


class _Input:
    def __init__(
        self, given: Any, document: Path, keys: Sequence[str], repo: Path, fetches: bool
    ) -> None:
        self.given, self.document, self.repo, self.fetches = given, document, repo, fetches
        self.keys, self.name = ".".join(keys), keys[-1]
        self.workspace = repo / LOCAL_FOLDER
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
        mode = self.given.get("mode")
        found, name = self._found(path)
        return ResolvedInput(
            "path", str(self._of_type(found)), name, None if mode is None else str(mode)
        )

    def _found(self, path: str) -> tuple[Path, str | None]:
        """Return where the data is, and what a record names it; None for a local path."""
        url = _BLOB.sub(r"https://\2/\1/\3", path)
        try:
            if url.startswith(("https://", "http://")):
                return self._fetched(url)
            if path.startswith("azureml://jobs/"):
                return job_output(path, self.workspace), path
            if path.startswith("azureml:") and not _REMOTE.match(path):
                return asset_path(path, self.type, self.repo), path
        except JobError as error:
            kind = OutsideError if isinstance(error, OutsideError) else MissingData
            what = f"{error.where}: {error.what}"
            raise self._error(what, error.remedy, kind=kind) from error
        if _REMOTE.match(path) or path.startswith("runs:/"):
            what = f"the local workspace does not fetch {path}"
            raise self._error(what, self._advice(path), kind=MissingData)
        return self._local_path(path), None

    def _fetched(self, url: str) -> tuple[Path, str]:
        # Imported late: most jobs fetch nothing.
        from azureml_jobs.local.fetch import cache_folder, fetch, shown

        cache = self.workspace / "cache"
        folder = cache_folder(url, cache)
        if self.type in _FOLDER_TYPES:
            raise JobError(
                shown(url),
                f"no folder can be fetched by https, and this is of `type: {self.type}`",
                "Write `type: uri_file` for one file. Put a copy of a folder into "
                f"data/{self.name}, and write `path: azureml:{self.name}:1`.",
            )
        return fetch(url, cache) if self.fetches else folder / "part", shown(url)

    def _advice(self, path: str) -> str:
        job = _RUN.match(path)
        if job:
            return (
                "Azure ML takes `runs:/` only where a model is registered. Write\n"
                f"`path: azureml://jobs/{job[1]}/outputs/artifacts/paths/{job[2]}`."
            )
        here = f"`--set {self.keys}.path=azureml:{self.name}:1`, which is found there.\n"
        if "/datastores/" in path:
            return (
                "Where config.env names the workspace, download it:\n\n"
                f"./pants run :aml -- data register {self.name} --path {path}\n"
                f"./pants run :aml -- data download {self.name}:1\n\nThen run with {here}"
                "In Azure ML the job file works as it is."
            )
        return (
            f"Put a copy under {self._relative(self.repo / 'data')}/{self.name} and run with\n"
            f"{here}In Azure ML the job file works as it is."
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
        found = Path(os.path.normpath(self.document.absolute().parent / path))
        if not os.path.exists(found):
            raise self._error(
                f"{path} does not exist",
                f"Looked for {self._relative(found)}. Paths are relative to their file.\n"
                "Put the data there, or write the path of data that exists.",
                kind=MissingData,
            )
        return found

    def _of_type(self, found: Path) -> Path:
        if self.type == "uri_file" and found.is_dir():
            path = str(self.given["path"])
            files = [each for each in sorted(found.glob("[!.]*")) if each.is_file()]
            is_asset = path.startswith("azureml:")
            # A version of a data asset is a folder, here one with the asset's only file.
            if is_asset and len(files) == 1:
                return files[0]
            remedy = "Write `type: uri_folder`, or the path of a file."
            if files and not is_asset:
                remedy += f" For example `path: {os.path.join(path, files[0].name)}`."
            raise self._error(
                f"`type: {self.type}` is given a folder, {self._relative(found)}", remedy
            )
        if self.type in _FOLDER_TYPES and not found.is_dir():
            raise self._error(
                f"`type: {self.type}` is given a file, {self._relative(found)}",
                "Write `type: uri_file`, or the path of a folder.",
            )
        return found

    def _error(
        self, what: str, remedy: str, key: str = ".path", kind: type[JobError] = JobError
    ) -> JobError:
        return kind(f"{self._relative(self.document)}: {self.keys}{key}", what, remedy)

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.repo) if path.is_relative_to(self.repo) else path)
