"""Registered models and components of the local workspace, by name and version."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.assets import COMPONENTS, MODELS, PART, AssetName
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.files import make_folder
from azureml_jobs.base.job_status import now
from azureml_jobs.bundle.data import copy_data
from azureml_jobs.bundle.names import JOB_FILE
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.documents import references_of, set_value

_META_FILE = "meta.json"
_CONTENT = "content"


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

    @property
    def units(self) -> Mapping[str, Mapping[str, Any]]:
        """How the code units of a component run on this machine: `UnitRun`s as data, by name."""
        units: Mapping[str, Mapping[str, Any]] = self.meta.get("units") or {}
        return units

    def document(self) -> dict[str, Any]:
        """Return the file of a component, with the files that it refers to in their places.

        Paths are relative to `path`.
        """
        return _whole_document(self.path, JOB_FILE)


class LocalRegistry:
    """`root` is `<repository>/.azureml`; it need not exist yet."""

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
        folder = self._root / kind
        return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []

    def register_model(
        self, name: str, source: Path, version: str | None, meta: Mapping[str, Any]
    ) -> RegisteredVersion:
        """Keep a copy of a model's file or folder; without a version, as the next one."""
        file = {} if source.is_dir() else {"file": source.name}

        def write(content: Path) -> None:
            copy_data(source, content / source.name if file else content)

        return self.register(MODELS, name, version, {**meta, **file}, write)

    def register_component(
        self,
        name: str,
        version: str | None,
        write_bundle: Callable[[Path], None],
        units: Mapping[str, Mapping[str, Any]],
    ) -> RegisteredVersion:
        """Keep the bundle of a component that `write_bundle` writes into a folder that is new.

        `units` say how its code units run on this machine: `UnitRun`s as data.
        """
        return self.register(COMPONENTS, name, version, {"units": units}, write_bundle)

    def register(
        self,
        kind: str,
        name: str,
        version: str | None,
        meta: Mapping[str, Any],
        write: Callable[[Path], None],
    ) -> RegisteredVersion:
        """Keep what `write` writes into a folder that is new; without a version, as the next one.

        `meta` has `file`, the name of a model that is one file in that folder. Raises `JobError`
        for a version that exists.
        """
        for what, text in (("name", name), ("version", version)):
            if text is not None and not re.fullmatch(PART, text):
                raise JobError(
                    text, f"this is not a valid {what}", "Write letters, digits, `-`, `_` and `.`."
                )
        versions = self._root / kind / name
        try:
            make_folder(versions)
            temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=versions))
            try:
                write(temporary / _CONTENT)
                meta = {"created": now(), **meta}
                (temporary / _META_FILE).write_text(json.dumps(meta, indent=2), encoding="utf-8")
                temporary.chmod(0o755)
                return self._publish(temporary, kind, name, version)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
        except OSError as error:
            raise OutsideError(
                str(versions),
                f"{name} could not be registered: {error.strerror or error}",
                "Check the free space and the permissions there.",
            ) from error

    def _publish(
        self, temporary: Path, kind: str, name: str, version: str | None
    ) -> RegisteredVersion:
        """Rename the folder to its version, which fails when that exists."""
        while True:
            there = [each.version for each in self.versions(kind, name)]
            wanted = version or str(max((int(v) for v in there if v.isdecimal()), default=0) + 1)
            final = temporary.parent / wanted
            try:
                os.rename(temporary, final)
            except OSError as error:
                if not final.exists():
                    raise
                if version is None:
                    continue
                raise JobError(
                    f"azureml:{name}:{version}",
                    "this version exists already, and versions cannot be changed",
                    "Write another `--version`, or leave it out for the next one.",
                ) from error
            meta = json.loads((final / _META_FILE).read_text(encoding="utf-8"))
            return RegisteredVersion(name, wanted, final, meta)


def _whole_document(folder: Path, name: str) -> dict[str, Any]:
    document = read_job_file((folder / name).read_text(encoding="utf-8"), name)
    for reference in references_of(document, name):
        set_value(document, reference.keys, _whole_document(folder, reference.path))
    return document
