"""Make the Python environment of a job, with the packages that its image would have."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_standin.control_plane.assets import Assets
from azureml_standin.storage.addresses import storage_location
from azureml_standin.storage.blobs import BlobStorage

_ENVIRONMENT_ID = re.compile(r".*/environments/([^/]+)/versions/([^/]+)", re.IGNORECASE)
_REQUIREMENTS = "requirements.txt"


class Environments:
    """Virtual environments below `folder`, one for each content of a `requirements.txt`.

    A job whose build context holds that file gets the packages that it lists. Every other job gets
    `default`, the prefix of a virtual environment; without `installs`, all jobs do.
    """

    def __init__(
        self,
        assets: Assets,
        blobs: BlobStorage,
        folder: Path,
        default: str,
        installs: bool,
    ) -> None:
        self._assets = assets
        self._blobs = blobs
        self._folder = folder
        self._default = default
        self._installs = installs
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def prefix(self, properties: Mapping[str, Any]) -> str:
        """Return the prefix of a job's virtual environment. Raises `JobError` when pip fails."""
        requirements = self._requirements(properties) if self._installs else None
        if requirements is None:
            return self._default
        prefix = self._folder / hashlib.sha256(requirements).hexdigest()[:16]
        # One at a time: two jobs that start together mostly need the same packages.
        with self._lock:
            if not (prefix / _REQUIREMENTS).exists():
                self._install(requirements, prefix)
        return str(prefix)

    def image(self, properties: Mapping[str, Any]) -> str:
        """Return the image that a job's environment names; empty for one that is built."""
        return str(self._properties(properties).get("image") or "")

    def stop(self) -> None:
        """Stop a running installation; its job fails."""
        self._stopped = True
        process = self._process
        if process is not None:
            process.terminate()

    def _requirements(self, properties: Mapping[str, Any]) -> bytes | None:
        build = self._properties(properties).get("build") or {}
        location = storage_location(build.get("contextUri") or "")
        if location is None:
            return None
        container, path = location
        blob = self._blobs.blob(container, f"{path}/{_REQUIREMENTS}")
        return None if blob is None else blob.file.read_bytes()

    def _properties(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        match = _ENVIRONMENT_ID.fullmatch(properties.get("environmentId") or "")
        found = match and self._assets.version("environments", match[1], match[2])
        return (found or {}).get("properties", {})

    def _install(self, requirements: bytes, prefix: Path) -> None:
        # An interrupted installation may have left it: a virtual environment cannot be renamed.
        shutil.rmtree(prefix, ignore_errors=True)
        self._run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(prefix)])
        new = prefix / f".new-{_REQUIREMENTS}"
        new.write_bytes(requirements)
        # As in the template's Dockerfile, but without compiling, which takes half of the time: a
        # job imports few of all modules, and compiles only these.
        options = ("--no-deps", "--no-compile", "--disable-pip-version-check", "--no-input", "-q")
        python = str(prefix / "bin" / "python")
        self._run([python, "-m", "pip", "install", *options, "-r", str(new)])
        new.rename(prefix / _REQUIREMENTS)

    def _run(self, command: Sequence[str]) -> None:
        # The variable is for the Python of this process.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        with subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            self._process = process
            if self._stopped:
                process.terminate()
            output, _ = process.communicate()
            self._process = None
        if process.returncode != 0:
            raise JobError(
                "environment",
                f"pip could not install the packages:\n{output.strip()[-2000:]}",
                f"Correct {_REQUIREMENTS} in the build context. Failed: {' '.join(command)}",
            )
