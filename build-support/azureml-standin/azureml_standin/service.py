"""Assemble the service, start it, and stop it."""

from __future__ import annotations

import base64
import contextlib
import secrets
import sys
import tempfile
import traceback
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.files import make_folder, take_lock
from azureml_standin import clouds
from azureml_standin.client_variables import ClientVariables
from azureml_standin.control_plane.assets import Assets
from azureml_standin.control_plane.jobs import Jobs
from azureml_standin.control_plane.managed import SCORE, Managed
from azureml_standin.control_plane.workspace import ControlPlane
from azureml_standin.dispatch import Dispatcher
from azureml_standin.execution.execution import Execution
from azureml_standin.execution.job_folder import JobFolderBuilder
from azureml_standin.execution.packages import Packages
from azureml_standin.http.certificates import CertificateAuthority
from azureml_standin.http.routing import Route, Router, routes_of
from azureml_standin.http.server import Server
from azureml_standin.registry.access import RegistryAccess
from azureml_standin.registry.registry import Registry
from azureml_standin.run_history.mlflow_api import MlflowApi
from azureml_standin.run_history.runs import RunHistory
from azureml_standin.sign_in.entra import Principal, SignIn
from azureml_standin.sign_in.tokens import Tokens
from azureml_standin.state import State
from azureml_standin.storage.access import StorageAccess
from azureml_standin.storage.blob_requests import BlobStorage

COMPUTES = ("cpu-cluster", "gpu-cluster")


class Service:
    """The running service. `folder` holds all of its state.

    computes: names that exist. python: prefix of the virtual environment in which jobs run.
    installs_packages: jobs whose build context has a `requirements.txt` get one with these.
    jobs_at_once: 0 accepts jobs and runs none.
    failures: tracebacks of errors in the service itself; there should be none.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        computes: Sequence[str] = COMPUTES,
        python: str = sys.prefix,
        installs_packages: bool = False,
        jobs_at_once: int = 2,
    ) -> None:
        self.folder = folder.absolute()
        make_folder(self.folder)
        # It holds keys, though they are useless elsewhere.
        self.folder.chmod(0o700)
        self.failures: list[str] = []
        with contextlib.ExitStack() as opened:
            opened.callback(_lock(self.folder).close)
            self.authority = CertificateAuthority(self.folder / "tls", clouds.known_hosts())
            self.state = State(self.folder)
            opened.callback(self.state.close)
            context = self.authority.server_context
            self.server = Server(context, self.folder, port, clouds.is_known_host)
            opened.callback(self.server.stop)
            self._emulate(computes)
            self._run_jobs(python, installs_packages, jobs_at_once)
            opened.callback(self.execution.stop)
            # Closed by `stop`, unless something above has failed.
            self._opened = opened.pop_all()
        self._serve()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server.port}"

    def start(self) -> None:
        self.execution.start()
        self.server.start()

    def stop(self) -> None:
        """Stop everything; no thread, socket or process of the service is left afterwards."""
        self._opened.close()

    def _emulate(self, computes: Sequence[str]) -> None:
        identity = self._identity()
        own_urls = [self.url, f"https://localhost:{self.server.port}"]
        self.tokens = Tokens(identity["tenant"])
        self.access = StorageAccess(self.tokens, identity["key"])
        self.blobs = BlobStorage(self.state, self.access)
        self.sign_in = SignIn(self.tokens, Principal(**identity["principal"]), own_urls)
        audiences = (*clouds.ARM_AUDIENCES, *own_urls)
        self.control = ControlPlane(self.state, self.tokens, self.access, computes, audiences)
        self.assets = Assets(self.control)
        registry_access = RegistryAccess(self.tokens, audiences)
        self.registry = Registry(self.state, registry_access, self.folder / "registry")
        http = f"http://127.0.0.1:{self.server.port}"
        self.client = ClientVariables(self.url, http, self.sign_in, self.authority)

    def _run_jobs(self, python: str, installs_packages: bool, at_once: int) -> None:
        references = self.assets.references
        packages = Packages(
            references,
            self.blobs,
            self.registry.access,
            self.server.port,
            self.folder / "environments",
            python,
            installs_packages,
        )
        builder = JobFolderBuilder(references, self.blobs, self.folder)
        self.execution = Execution(
            self.assets, builder, packages, self.folder, at_once, self._add_failure
        )
        self.blobs.live = self.execution.blobs

    def _serve(self) -> None:
        self.jobs = Jobs(self.control, self.execution)
        self.history = RunHistory(self.jobs, self.blobs)
        managed = Managed(self.control, self.assets.references)
        mlflow = MlflowApi(self.jobs, self.folder / "mlruns")
        control = routes_of(self.control, self.assets, self.jobs, managed)
        runs = routes_of(self.history, mlflow)
        routes = [
            *self.control.authorized(control),
            *self.control.authorized(runs, *clouds.AML_AUDIENCES),
            *routes_of(self.sign_in, self.sign_in.build_servers),
            Route("GET", "/metadata/endpoints", clouds.metadata),
            Route("GET", "/discovery", self.control.discover),
            Route("POST", SCORE, managed.score),
        ]
        router, wait = Router(routes), self.server.stopping.wait
        dispatcher = Dispatcher(router, self.blobs, self.registry, self._add_failure, wait)
        self.recording, self.faults = dispatcher.recording, dispatcher.faults
        self.server.begin, self.server.respond = dispatcher.begin, dispatcher.respond

    def _add_failure(self) -> None:
        self.failures.append(traceback.format_exc())

    def _identity(self) -> dict[str, Any]:
        """Return tenant, principal and account key, which last as long as the folder."""
        found = self.state.document("service", "identity")
        if found is None:
            key = base64.b64encode(secrets.token_bytes(64)).decode()
            found = {"tenant": str(uuid.uuid4()), "principal": asdict(Principal()), "key": key}
            self.state.put_document("service", "identity", found)
        return found


def _lock(folder: Path) -> IO[str]:
    """Lock a folder against a second service, until the file is closed or this process ends."""
    file = open(folder / "lock", "w", encoding="ascii")
    if take_lock(file):
        return file
    file.close()
    raise JobError(
        str(folder),
        "a service is running on this folder already",
        "Use that service, or stop it by Ctrl-C in its terminal.",
    )


@contextlib.contextmanager
def running_service(folder: Path | None = None, **settings: object) -> Iterator[Service]:
    """Start the service, and stop it at the end; `settings` are those of `Service`.

    Without `folder`, its state is in a temporary folder, which is removed at the end.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            made = tempfile.TemporaryDirectory("", "azureml-service-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(made))
        service = Service(folder, **settings)  # type: ignore[arg-type]
        stack.callback(service.stop)
        service.start()
        yield service
