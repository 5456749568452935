"""Pull images of the service's own registry, in which jobs then run."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping

from azureml_jobs.base.errors import JobError
from azureml_jobs.docker.engine import EngineQuery, Image, NoEngine, image_id
from azureml_jobs.docker.private_config import signed_in
from azureml_jobs.local.runtimes import Runtime
from azureml_standin.clouds import CLOUDS, REGISTRY
from azureml_standin.registry.access import RegistryAccess


class Images:
    """Images that this machine's engine pulls from the registry at `port`."""

    def __init__(self, access: RegistryAccess, port: int) -> None:
        self._access = access
        self._server = f"127.0.0.1:{port}"
        self._own_servers = {
            *(self._server, f"localhost:{port}"),
            *(f"{REGISTRY}.{cloud.registry}" for cloud in CLOUDS),
        }
        self._lock = threading.Lock()
        self._pulling: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def runtime(self, job: str, image: str) -> Runtime:
        """Return Docker with `image`; a runtime without image if it is of another registry.

        Raises `JobError` if no engine answers or it cannot pull the image.
        """
        server, _, path = image.partition("/")
        if server not in self._own_servers:
            return Runtime()
        try:
            engine = EngineQuery(os.environ).answer()
        except NoEngine as error:
            raise JobError(
                job,
                f"the stand-in needs Docker for its image {image}; {error}",
                "Start Docker on this machine, or submit the job without `--image`.",
            ) from error
        reference = f"{self._server}/{path}"
        token = self._access.refresh_token(self._server)
        with signed_in(self._server, token, os.environ) as environment:
            self._pull(job, reference, environment)
        found = image_id(reference)
        if found is None:
            raise JobError(job, f"Docker pulled {reference}, but does not have it")
        return Runtime(Image(reference, found), engine)

    def stop(self) -> None:
        """Stop pulling images; their jobs fail."""
        with self._lock:
            self._stopped = True
            for process in self._pulling:
                process.terminate()

    def _pull(self, job: str, reference: str, environment: Mapping[str, str]) -> None:
        with self._lock:
            process = subprocess.Popen(
                ["docker", "pull", "--quiet", reference],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
            self._pulling.add(process)
            if self._stopped:
                process.terminate()
        output, _ = process.communicate()
        with self._lock:
            self._pulling.discard(process)
        if process.returncode != 0:
            raise JobError(
                job,
                f"Docker could not pull the image {reference}: {output.strip()[-500:]}",
                "Use a Docker engine on this machine, which can reach 127.0.0.1.",
            )
