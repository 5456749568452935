"""Record each request, inject its fault, and route it to the part that handles it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from azureml_standin.clouds import blob_path
from azureml_standin.http import faults
from azureml_standin.http.faults import Faults
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse
from azureml_standin.http.recording import Recorded, Recording
from azureml_standin.http.routing import Router
from azureml_standin.registry.registry import Registry
from azureml_standin.storage.blob_requests import BlobStorage

_KINDS = {
    "arm": ("/subscriptions/",),
    "data-plane": (
        *("/history/v1.0/", "/data/v1.0/", "/mlflow/", "/modelregistry/"),
        *("/discovery", "/score/"),
    ),
    "metadata": ("/metadata/endpoints",),
    "registry": ("/v2/", "/oauth2/exchange", "/oauth2/token"),
}
# Only identities of machines are served without TLS, as on a virtual machine.
_WITHOUT_TLS = ("/metadata/identity/", "/msi/")


@dataclass(eq=False)
class Dispatcher:
    """`router` is for all parts but storage and registry; `wait` sleeps until the end.

    Calls `failed` while an unexpected error of the service itself is being handled.
    """

    router: Router
    blobs: BlobStorage
    registry: Registry
    failed: Callable[[], object]
    wait: Callable[[float], object]
    recording: Recording = field(default_factory=Recording)
    faults: Faults = field(default_factory=Faults)

    def begin(self, request: HttpRequest) -> Recorded:
        kind = "sign-in"
        for each, beginnings in _KINDS.items():
            if request.path.lower().startswith(beginnings):
                kind = each
        if blob_path(request) is not None:
            kind = "blob"
        return self.recording.begin(request, kind, self.faults.next_for(request))

    def respond(self, request: HttpRequest, recorded: Recorded) -> HttpResponse | None:
        self.recording.keep_content(recorded, request)
        response = self._faulty(request, recorded)
        recorded.seconds = time.time() - recorded.started
        if response is not None:
            recorded.status = response.status
            recorded.response_bytes = response.length
        return response

    def _faulty(self, request: HttpRequest, recorded: Recorded) -> HttpResponse | None:
        fault = recorded.fault
        if fault.kind in (faults.STATUS, faults.PAGE, faults.EXPIRED_TOKEN):
            return fault.response(recorded.kind)
        if fault.kind == faults.SLOW:
            self.wait(fault.seconds)
        response = self._handle(request, recorded.kind)
        response.headers.setdefault("x-ms-request-id", str(uuid.uuid4()))
        if fault.kind in (faults.RESET_AFTER, faults.STATUS_AFTER):
            if not isinstance(response.body, bytes):
                response.body.close()
            return None if fault.kind == faults.RESET_AFTER else fault.response(recorded.kind)
        return response

    def _handle(self, request: HttpRequest, kind: str) -> HttpResponse:
        try:
            if not request.is_secure and not request.path.startswith(_WITHOUT_TLS):
                raise HttpError(403, "HttpsRequired", "The stand-in is served by TLS.")
            if (path := blob_path(request)) is not None:
                return self.blobs.respond(request, path)
            respond = self.registry.respond if kind == "registry" else self.router.respond
            return respond(request)
        except HttpError as error:
            return error.response()
        except Exception:
            # The client gets what a broken service sends; `failed` gets the reason.
            self.failed()
            return HttpError(500, "InternalServerError", "The stand-in failed.").response()
