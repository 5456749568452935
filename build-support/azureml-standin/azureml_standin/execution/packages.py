"""Give a job the packages of its environment: in a virtual environment, or in a pulled image."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.docker.engine import EngineQuery, Image, NoEngine, image_id
from azureml_jobs.docker.private_config import signed_in
from azureml_jobs.local.light_environment import pip_wheels
from azureml_jobs.local.runtimes import Runtime
from azureml_standin.clouds import CLOUDS, REGISTRY, storage_location
from azureml_standin.control_plane.asset_checks import References
from azureml_standin.registry.access import RegistryAccess
from azureml_standin.storage.blobs import Blobs

_REQUIREMENTS = "requirements.txt"


@dataclass(eq=False)
class Packages:
    """Virtual environments below `folder`, one for each content of a `requirements.txt`.

    A job whose build context holds that file gets the packages that it lists. Every other job gets
    `default`, the prefix of a virtual environment; without `installs`, all jobs do. A job whose
    environment is an image in the service's own registry, at `port`, runs in that image.
    """

    references: References
    blobs: Blobs
    registry: RegistryAccess
    port: int
    folder: Path
    default: str
    installs: bool

    def __post_init__(self) -> None:
        self._server = f"127.0.0.1:{self.port}"
        clouds = (f"{REGISTRY}.{cloud.registry}" for cloud in CLOUDS)
        self._own_servers = {self._server, f"localhost:{self.port}", *clouds}
        self._installing, self._lock = threading.Lock(), threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._is_stopped = False

    def of(self, job: str, properties: Mapping[str, Any]) -> tuple[Runtime, str]:
        """Return the runtime of a job, and without an image its virtual environment.

        Raises `JobError` when pip fails, no engine answers, or it cannot pull the image.
        """
        found = self.references.version(properties.get("environmentId") or "") or {}
        environment = found.get("properties", {})
        image = str(environment.get("image") or "")
        if image.partition("/")[0] in self._own_servers:
            return self._pulled(job, image), ""
        context = storage_location((environment.get("build") or {}).get("contextUri") or "")
        if context and self.installs:
            blob = self.blobs.blob(context[0], f"{context[1]}/{_REQUIREMENTS}")
            if blob:
                return Runtime(), self._prefix(blob.file.read_bytes())
        return Runtime(), self.default

    def stop(self) -> None:
        """Stop what installs and pulls; its jobs fail."""
        with self._lock:
            self._is_stopped = True
            for process in self._processes:
                process.terminate()

    def _prefix(self, requirements: bytes) -> str:
        prefix = self.folder / hashlib.sha256(requirements).hexdigest()[:16]
        # One at a time: two jobs that start together mostly need the same packages.
        with self._installing:
            # The Python that an earlier one was made with may have been removed.
            if not all((prefix / each).exists() for each in (_REQUIREMENTS, "bin/python")):
                self._install(requirements, prefix)
        return str(prefix)

    def _install(self, requirements: bytes, prefix: Path) -> None:
        # An interrupted installation may have left it: a virtual environment cannot be renamed.
        shutil.rmtree(prefix, ignore_errors=True)
        prefix.mkdir(parents=True)
        # The variable is for the Python of this process.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        new = prefix / f".new-{_REQUIREMENTS}"
        new.write_bytes(requirements)
        # As in the template's Dockerfile, but without compiling, which takes half of the time: a
        # job imports few of all modules, and compiles only these.
        options = ("--no-deps", "--no-compile", "--disable-pip-version-check", "--no-input", "-q")
        python = getattr(sys, "_base_executable", sys.executable)
        # Each run has its own pip; to install another one takes seconds.
        program = os.path.join(pip_wheels()[0], "pip")
        pip = (str(prefix / "bin" / "python"), program, "install", *options, "-r", str(new))
        for command in ((python, "-m", "venv", "--without-pip", str(prefix)), pip):
            output = self._failure_of(command, environment)
            if output is not None:
                what = f"pip could not install the packages:\n{output[-2000:]}"
                remedy = f"Correct {_REQUIREMENTS} in the build context. Failed: "
                raise JobError("environment", what, remedy + " ".join(command))
        new.rename(prefix / _REQUIREMENTS)

    def _pulled(self, job: str, image: str) -> Runtime:
        try:
            engine = EngineQuery(os.environ).answer()
        except NoEngine as error:
            what = f"the stand-in needs Docker for its image {image}; {error.what}"
            remedy = "Start Docker on this machine, or submit the job without `--image`."
            raise JobError(job, what, remedy) from error
        reference = f"{self._server}/{image.partition('/')[2]}"
        token = self.registry.refresh_token(self._server)
        with signed_in(self._server, token, os.environ) as environment:
            output = self._failure_of(("docker", "pull", "--quiet", reference), environment)
        found = image_id(reference)
        if output is not None or found is None:
            what = f"Docker could not pull the image {reference}: {(output or '')[-500:]}"
            remedy = "Use a Docker engine on this machine, which can reach 127.0.0.1."
            raise JobError(job, what, remedy)
        return Runtime.in_image(Image(reference, found), engine)

    def _failure_of(self, command: Sequence[str], environment: Mapping[str, str]) -> str | None:
        """Run a command; return what it printed if it failed, else None."""
        with self._lock:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
            self._processes.add(process)
            if self._is_stopped:
                process.terminate()
        output, _ = process.communicate()
        with self._lock:
            self._processes.discard(process)
        return output.strip() if process.returncode else None
