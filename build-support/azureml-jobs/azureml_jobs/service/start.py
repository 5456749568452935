"""Put the service together, start it, and stop it."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
import traceback
import uuid
from pathlib import Path
from typing import Iterator, Optional, Sequence

from azureml_jobs.service import clouds, faults
from azureml_jobs.service.arm import WorkspaceAddress
from azureml_jobs.service.assemble import Assembly
from azureml_jobs.service.assets import Assets
from azureml_jobs.service.blobs import BlobStorage
from azureml_jobs.service.control_plane import ControlPlane
from azureml_jobs.service.execution import Execution
from azureml_jobs.service.faults import Fault, Faults
from azureml_jobs.service.jobs import OPERATIONS, Jobs
from azureml_jobs.service.messages import Answer, Body, Refusal, Request, json_answer
from azureml_jobs.service.recording import Recorded, Recording
from azureml_jobs.service.routing import Route, Router
from azureml_jobs.service.run_history import RunHistory
from azureml_jobs.service.server import Server
from azureml_jobs.service.sign_in import SignIn
from azureml_jobs.service.state import State
from azureml_jobs.service.storage_access import StorageAccess
from azureml_jobs.service.tls import PrivateAuthority
from azureml_jobs.service.tokens import Tokens

WORKSPACE = WorkspaceAddress(
    "00000000-0000-4000-8000-00000000c10d", "standin-group", "standin-workspace"
)


class Service:
    """The running service. `folder` holds all of its state.

    failures: tracebacks of what went wrong in the service itself; there should be none.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        workspace: WorkspaceAddress = WORKSPACE,
        computes: Optional[Sequence[str]] = ("cpu-cluster",),
        python: str = sys.prefix,
        jobs_at_once: int = 2,
    ) -> None:
        self.folder = folder
        self.workspace = workspace
        self.failures: list[str] = []
        self.recording = Recording()
        self.faults = Faults()
        spool = folder / "spool"
        shutil.rmtree(spool, ignore_errors=True)
        spool.mkdir(parents=True)
        self.authority = PrivateAuthority(folder / "tls", clouds.known_hosts())
        self.server = Server(
            self.authority.server_context,
            lambda request: _Exchange(self, request),
            spool,
            port,
            clouds.is_known_host,
        )
        try:
            self.state = State(folder)
            own = [f"{self.url}", f"https://localhost:{self.server.port}"]
            self.tokens = Tokens(str(uuid.uuid4()))
            self.sign_in = SignIn(self.tokens, own)
            self.access = StorageAccess(self.tokens)
            self.blobs = BlobStorage(self.state, self.access)
            self.control = ControlPlane(
                workspace, self.state, self.tokens, self.access, computes, own
            )
            self.assets = Assets(self.state, self.access)
            self.execution = Execution(
                self.state,
                self.blobs,
                Assembly(workspace, self.assets, self.blobs),
                folder,
                python,
                jobs_at_once,
            )
            self.jobs = Jobs(self.control, self.assets, self.state, self.execution)
            self.history = RunHistory(self.control, self.jobs, self.blobs)
        except BaseException:
            self.server.stop()
            raise
        self._sign_in = Router(self.sign_in.routes())
        self._open = Router(
            [
                Route("GET", "/metadata/endpoints", self._metadata),
                Route("GET", "/discovery", self.control.discover),
            ]
        )
        self._operations = Router([Route("GET", OPERATIONS, self.jobs.operation)])
        self._arm = self.control.guarded(
            [*self.control.routes(), *self.assets.routes(), *self.jobs.routes()]
        )
        self._data_plane = self.history.guarded(self.history.routes())

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server.port}"

    def start(self) -> None:
        self.execution.start()
        self.server.start()

    def stop(self) -> None:
        """End what runs; afterwards no thread, socket or process of the service is left."""
        self.execution.stop()
        self.server.stop()
        self.state.close()

    def environment(
        self, sign_in: str = "secret", cloud: str = clouds.PRIVATE_CLOUD
    ) -> dict[str, str]:
        """Variables with which azure-ai-ml and azure-identity find the service by its address.

        sign_in: `secret`, `workload` (a federated token), `machine` or `app-service` (managed
        identities), or an empty text for none.
        """
        return {
            "ARM_CLOUD_METADATA_URL": f"{self.url}/metadata/endpoints?api-version=2022-09-01",
            "AZUREML_CURRENT_CLOUD": cloud,
            "AZURE_AUTHORITY_HOST": self.url,
            "REQUESTS_CA_BUNDLE": str(self.authority.ca_file),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            **self.workspace_environment(),
            **self.sign_in_environment(sign_in),
        }

    def proxy_environment(self, sign_in: str = "secret") -> dict[str, str]:
        """Variables with which a client reaches the service under the real clouds' own names.

        The service is then its proxy for HTTPS, which ends TLS and leads nowhere else.
        """
        proxy = f"http://127.0.0.1:{self.server.port}"
        return {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": "",
            "no_proxy": "",
            "REQUESTS_CA_BUNDLE": str(self.authority.ca_file),
            **self.workspace_environment(),
            **self.sign_in_environment(sign_in),
        }

    def workspace_environment(self) -> dict[str, str]:
        return {
            "SUBSCRIPTION_ID": self.workspace.subscription,
            "RESOURCE_GROUP": self.workspace.group,
            "WORKSPACE": self.workspace.name,
        }

    def sign_in_environment(self, kind: str) -> dict[str, str]:
        """The variables of azure-identity for one way to sign in."""
        principal = self.sign_in.principal
        named = {
            "AZURE_TENANT_ID": self.tokens.tenant,
            "AZURE_CLIENT_ID": principal.client_id,
        }
        if kind == "secret":
            return {**named, "AZURE_CLIENT_SECRET": principal.secret}
        if kind == "workload":
            file = self.folder / "tls" / "federated-token"
            file.touch(mode=0o600)
            file.write_text(principal.federated_token, encoding="ascii")
            return {**named, "AZURE_FEDERATED_TOKEN_FILE": str(file)}
        http = f"http://127.0.0.1:{self.server.port}"
        if kind == "machine":
            return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": http}
        if kind == "app-service":
            return {
                "IDENTITY_ENDPOINT": f"{http}/msi/token",
                "IDENTITY_HEADER": self.sign_in.identity_header,
            }
        if kind:
            raise ValueError(f"no such way to sign in: {kind}")
        return {}

    def kind_of(self, request: Request) -> str:
        path = request.path.lower()
        if self.blobs.address(request):
            return "blob"
        if path.startswith("/subscriptions/"):
            return "arm"
        if path.startswith(("/history/", "/data/", "/mlflow/", "/discovery")):
            if "/subscriptions/" in path or path == "/discovery":
                return "data-plane"
        if path.startswith("/metadata/endpoints"):
            return "metadata"
        return "sign-in"

    def answer(self, request: Request, kind: str) -> Answer:
        """Raises `Refusal`."""
        if not request.is_secure and not request.path.startswith(("/metadata/identity/", "/msi/")):
            raise Refusal(
                403, "HttpsRequired", "Only identities of machines are served without TLS."
            )
        if kind == "blob":
            address = self.blobs.address(request)
            return self.blobs.answer(request, *address)  # type: ignore[misc]
        if kind == "arm":
            is_operation = "/mfeoperationresults/" in request.path.lower()
            return (self._operations if is_operation else self._arm).answer(request)
        if kind == "metadata" or request.path == "/discovery":
            return self._open.answer(request)
        if kind == "data-plane":
            return self._data_plane.answer(request)
        return self._sign_in.answer(request)

    def _metadata(self, request: Request) -> Answer:
        return json_answer(clouds.metadata(request.base))


class _Exchange:
    """One request on its way through the service: recorded, hit by a fault, or answered."""

    def __init__(self, service: Service, request: Request) -> None:
        self._service = service
        self._request = request
        self._kind = service.kind_of(request)
        self._fault: Optional[Fault] = None
        self._recorded: Optional[Recorded] = None
        self._begun = time.monotonic()

    def begin(self) -> None:
        length = int(self._request.headers.get("content-length") or 0)
        self._recorded = self._service.recording.begin(self._request, self._kind, length)
        self._fault = self._service.faults.met_by(self._request)
        if self._fault is not None:
            self._recorded.fault = self._fault.kind

    def accepts_bytes(self) -> Optional[float]:
        kind = self._fault.kind if self._fault else ""
        return {faults.RESET_BEFORE: 0.0, faults.RESET_AMID: 0.5}.get(kind)

    def sends_bytes(self) -> float:
        return 0.5 if self._fault and self._fault.kind == faults.TRUNCATED else 1.0

    def take(self, body: Body) -> Optional[Answer]:
        self._request.body = body
        recorded = self._recorded
        if recorded is None:
            raise ValueError("take before begin")
        recorded.request_bytes = body.size
        self._service.recording.keep_content(recorded, self._request)
        answer = self._answer(recorded)
        recorded.seconds = time.monotonic() - self._begun
        if answer is not None:
            recorded.status, recorded.answer_bytes = answer.status, answer.size
        return answer

    def _answer(self, recorded: Recorded) -> Optional[Answer]:
        fault = self._fault
        if fault and fault.kind in (faults.STATUS, faults.EXPIRED_TOKEN):
            return fault.answer(self._kind == "blob")
        if fault and fault.kind == faults.SLOW:
            self._service.server.stopping.wait(fault.seconds)
        answer = self._handled()
        recorded.was_handled = answer.status < 400
        if fault and fault.kind in (faults.RESET_AFTER, faults.STATUS_AFTER):
            if not isinstance(answer.body, bytes):
                answer.body.close()
            return None if fault.kind == faults.RESET_AFTER else fault.answer(self._kind == "blob")
        return answer

    def _handled(self) -> Answer:
        try:
            return self._service.answer(self._request, self._kind)
        except Refusal as refusal:
            return refusal.answer()
        except Exception:  # noqa: B902: told to the client as 500, and kept for the tests
            self._service.failures.append(traceback.format_exc())
            return Refusal(500, "InternalServerError", "The stand-in failed, see its log.").answer()


@contextlib.contextmanager
def running_service(folder: Optional[Path] = None, **settings: object) -> Iterator[Service]:
    """Start the service; `settings` are those of `Service`.

    Without `folder` it keeps its state in a private temporary folder, which is gone afterwards.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="azureml-service-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        service = Service(folder, **settings)  # type: ignore[arg-type]
        stack.callback(service.stop)
        service.start()
        yield service
