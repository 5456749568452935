"""Route each request to the part of the service that handles it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from azureml_standin import clouds
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route, Router
from azureml_standin.registry.registry import Registry
from azureml_standin.storage.addresses import address_of
from azureml_standin.storage.blobs import BlobStorage

_KINDS = {
    "arm": ("/subscriptions/",),
    "data-plane": (
        "/history/v1.0/",
        "/data/v1.0/",
        "/mlflow/",
        "/modelregistry/",
        "/discovery",
        "/score/",
    ),
    "metadata": ("/metadata/endpoints",),
    "registry": ("/v2/", "/oauth2/exchange", "/oauth2/token"),
}
# Only identities of machines are served without TLS, as on a virtual machine.
_WITHOUT_TLS = ("/metadata/identity/", "/msi/")


class Dispatcher:
    """`routes` are those of all parts but storage and registry.

    Calls `failed` while an unexpected error of the service itself is being handled.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        blobs: BlobStorage,
        registry: Registry,
        failed: Callable[[], object],
    ) -> None:
        self._router = Router([Route("GET", "/metadata/endpoints", _metadata), *routes])
        self._blobs = blobs
        self._registry = registry
        self._failed = failed

    def kind_of(self, request: HttpRequest) -> str:
        """Return the part of the service that handles a request, as in `Recorded.kind`."""
        if address_of(request):
            return "blob"
        path = request.path.lower()
        for kind, beginnings in _KINDS.items():
            if path.startswith(beginnings):
                return kind
        return "sign-in"

    def respond(self, request: HttpRequest, kind: str) -> HttpResponse:
        try:
            if not request.is_secure and not request.path.startswith(_WITHOUT_TLS):
                raise HttpError(403, "HttpsRequired", "The stand-in is served by TLS.")
            if address := address_of(request):
                return self._blobs.respond(request, *address)
            respond = self._registry.respond if kind == "registry" else self._router.respond
            return respond(request)
        except HttpError as error:
            return error.response()
        except Exception:
            # The client gets what a broken service sends; `failed` gets the reason.
            self._failed()
            return HttpError(500, "InternalServerError", "The stand-in failed.").response()


def _metadata(request: HttpRequest) -> HttpResponse:
    return json_response(clouds.metadata(request.base))
