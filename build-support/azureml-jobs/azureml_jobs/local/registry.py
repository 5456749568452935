"""Data, models and components of the local workspace, by name and version."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.assets import COMPONENTS, MODEL_TYPES, MODELS, AssetName, check_names
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import new_folder
from azureml_jobs.base.job_status import now
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.bundle.names import JOB_FILE
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.documents import references_of, set_value

_META_FILE = "meta.json"
_CONTENT = "content"


def asset_path(reference: str, type: str, repository: Path) -> Path:
    """Return the file or folder of a data asset or, for a type of model, of a registered model.

    Raises `JobError` when this machine does not have it.
    """
    asset = AssetName.parse(reference)
    if asset is None or not (asset.version or reference.endswith("@latest")):
        raise JobError(
            reference,
            "this does not name a version",
            "Write `azureml:<name>:<version>` or `azureml:<name>@latest`.",
        )
    if type not in MODEL_TYPES:
        return _data_path(asset, repository)
    registry = LocalRegistry(repository / LOCAL_FOLDER)
    found = registry.find(MODELS, reference)
    if found is not None:
        return found.path
    raise JobError(
        str(asset),
        "the local workspace has no such model",
        f"{_listed([each.id for each in registry.versions(MODELS, asset.name)])}"
        "Register a copy:\n\n"
        f"./pants run :aml -- models register {asset.name} --path FILE-OR-FOLDER --local",
    )


def numbered_versions(folder: Path) -> list[str]:
    """Return the versions in `folder`: its folders and files named by a number, lowest first."""
    return sorted((each.name for each in folder.glob("*") if each.name.isdecimal()), key=int)


def add_version(folder: Path, version: str | None, write: Callable[[Path], None]) -> Path:
    """Keep what `write` writes to a path as a version in `folder`; without one, as the next one.

    Return its path. Raises `JobError` for a version that exists.
    """
    if version and os.path.lexists(folder / version):
        raise _version_exists(folder / version)
    try:
        with new_folder(folder, ".new-") as temporary:
            write(temporary / "made")
            final = _publish(temporary / "made", folder, version)
            temporary.rmdir()
            return final
    except OSError as error:
        raise OutsideError(
            str(folder),
            f"{folder.name} could not be registered: {error.strerror or error}",
            "Check the free space and the permissions there.",
        ) from error


def _publish(made: Path, folder: Path, version: str | None) -> Path:
    """Rename what was made to its version, which fails when that exists."""
    while True:
        last = max(map(int, numbered_versions(folder)), default=0)
        final = folder / (version or str(last + 1))
        try:
            os.rename(made, final)
            return final
        except OSError as error:
            if not final.exists():
                raise
            if version is not None:
                raise _version_exists(final) from error


def _data_path(asset: AssetName, repository: Path) -> Path:
    folder = repository / "data" / asset.name
    versions = numbered_versions(folder)
    # In Azure ML the latest version is the newest one, here that of the highest number.
    version = asset.version or (versions[-1] if versions else "1")
    if (folder / version).exists():
        return folder / version
    # A folder without versions serves as every version.
    if folder.exists() and not versions:
        return folder
    looked = f"data/{asset.name}/{version}" + ("" if versions else f" and data/{asset.name}")
    there = _listed([f"azureml:{asset.name}:{each}" for each in versions])
    raise JobError(
        str(asset),
        "the local workspace has no such data",
        f"Looked for {looked}. {there}Put a copy of the data there, or write the path of data that "
        "exists.",
    )


def _listed(there: list[str]) -> str:
    return f"There {'is' if len(there) == 1 else 'are'} {', '.join(there)}.\n" if there else ""


def _version_exists(path: Path) -> JobError:
    return JobError(
        f"azureml:{path.parent.name}:{path.name}",
        "this version exists already, and versions cannot be changed",
        "Write another `--version`, or leave it out for the next one.",
    )


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of a model or component. Nothing changes its folder."""

    name: str
    version: str
    folder: Path
    meta: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"azureml:{self.name}:{self.version}"

    @property
    def path(self) -> Path:
        """The model's file or folder; the bundle of a component."""
        return self.folder / _CONTENT / str(self.meta.get("file", ""))

    def document(self) -> dict[str, Any]:
        """Return the file of a component, with the files that it refers to in their places.

        Paths are relative to `path`.
        """
        return _whole_document(self.path, JOB_FILE)


class LocalRegistry:
    """Models and components. `root` is `<repository>/.azureml`; it need not exist yet."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, kind: str, reference: str) -> RegisteredVersion | None:
        """Return what `azureml:NAME:VERSION` or `azureml:NAME@latest` names, if there is one."""
        asset = AssetName.parse(reference)
        versions = self.versions(kind, asset.name) if asset else []
        matching = [each for each in versions if asset and asset.version in (None, each.version)]
        return matching[-1] if matching else None

    def find_component(self, reference: str) -> Mapping[str, Any] | None:
        """Return the document of a registered component, None when there is none."""
        found = self.find(COMPONENTS, reference)
        return None if found is None else found.document()

    def versions(self, kind: str, name: str) -> list[RegisteredVersion]:
        """Return all versions of this name, the oldest first."""
        found = []
        for file in (self._root / kind / name).glob(f"[!.]*/{_META_FILE}"):
            with contextlib.suppress(OSError, ValueError):
                meta = json.loads(file.read_text(encoding="utf-8"))
                found.append(RegisteredVersion(name, file.parent.name, file.parent, meta))
        return sorted(found, key=lambda each: (str(each.meta["created"]), each.version))

    def names(self, kind: str) -> list[str]:
        return sorted(each.name for each in (self._root / kind).glob("*"))

    def register(
        self,
        kind: str,
        name: str,
        version: str | None,
        meta: Mapping[str, Any],
        write: Callable[[Path], None],
    ) -> RegisteredVersion:
        """Keep what `write` writes into a folder that is new; without a version, as the next one.

        `meta` has `file`, the name of a model that is one file in that folder, or `units`, how the
        code units of a component run on this machine: `UnitRun`s as data, by name. Raises
        `JobError` for a version that exists.
        """
        check_names(name, version)
        meta = {"created": now(), **meta}

        def write_all(folder: Path) -> None:
            folder.mkdir()
            write(folder / _CONTENT)
            (folder / _META_FILE).write_text(json.dumps(meta, indent=2), encoding="utf-8")

        final = add_version(self._root / kind / name, version, write_all)
        return RegisteredVersion(name, final.name, final, meta)


def _whole_document(folder: Path, name: str) -> dict[str, Any]:
    document = read_job_file((folder / name).read_text(encoding="utf-8"), name)
    for reference in references_of(document, name):
        set_value(document, reference.keys, _whole_document(folder, reference.path))
    return document
