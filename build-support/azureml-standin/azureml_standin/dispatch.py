"""Route each request to the part of the service that handles it."""

from __future__ import annotations

from collections.abc import Callable

from azureml_standin import clouds
from azureml_standin.control_plane.assets import Assets
from azureml_standin.control_plane.jobs import OPERATIONS, Jobs
from azureml_standin.control_plane.workspace import REGISTRY_RESOURCE, ControlPlane
from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response
from azureml_standin.http.routing import Route, Router
from azureml_standin.registry.registry import Registry
from azureml_standin.run_history.mlflow_api import MlflowApi
from azureml_standin.run_history.runs import RunHistory
from azureml_standin.sign_in.entra import SignIn
from azureml_standin.storage.addresses import address_of
from azureml_standin.storage.blobs import BlobStorage

_KINDS = {
    "arm": ("/subscriptions/",),
    "data-plane": ("/history/v1.0/", "/data/v1.0/", "/mlflow/", "/discovery"),
    "metadata": ("/metadata/endpoints",),
    "registry": ("/v2/", "/oauth2/exchange", "/oauth2/token"),
}
# Only identities of machines are served without TLS, as on a virtual machine.
_WITHOUT_TLS = ("/metadata/identity/", "/msi/")


class Dispatcher:
    """Calls `failed` while an unexpected error of the service itself is being handled."""

    def __init__(
        self,
        sign_in: SignIn,
        control: ControlPlane,
        assets: Assets,
        jobs: Jobs,
        history: RunHistory,
        mlflow: MlflowApi,
        blobs: BlobStorage,
        registry: Registry,
        failed: Callable[[], object],
    ) -> None:
        self._blobs = blobs
        self._registry = registry
        self._failed = failed
        self._sign_in = Router(sign_in.routes())
        # These need no token.
        self._open = Router(
            [
                Route("GET", "/metadata/endpoints", _metadata),
                Route("GET", "/discovery", control.discover),
            ]
        )
        self._outside_workspace = Router(
            [
                Route("GET", OPERATIONS, jobs.operation),
                Route("GET", REGISTRY_RESOURCE, control.get_registry),
            ]
        )
        self._in_workspace = control.authorized(
            [*control.routes(), *assets.routes(), *jobs.routes()]
        )
        self._data_plane = history.authorized([*history.routes(), *mlflow.routes()])

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
            return self._respond(request, kind)
        except HttpError as error:
            return error.response()
        except Exception:
            # The client gets what a broken service sends; `failed` gets the reason.
            self._failed()
            return HttpError(500, "InternalServerError", "The stand-in failed.").response()

    def _respond(self, request: HttpRequest, kind: str) -> HttpResponse:
        if not request.is_secure and not request.path.startswith(_WITHOUT_TLS):
            raise HttpError(
                403, "HttpsRequired", "Only identities of machines are served without TLS."
            )
        if kind == "blob":
            address = address_of(request)
            return self._blobs.respond(request, *address)  # type: ignore[misc]
        if kind == "registry":
            return self._registry.respond(request)
        return self._router(request, kind).respond(request)

    def _router(self, request: HttpRequest, kind: str) -> Router:
        if kind == "arm":
            is_inside = "/workspaces/" in request.path.lower()
            return self._in_workspace if is_inside else self._outside_workspace
        if kind == "metadata" or request.path == "/discovery":
            return self._open
        return self._data_plane if kind == "data-plane" else self._sign_in


def _metadata(request: HttpRequest) -> HttpResponse:
    return json_response(clouds.metadata(request.base))
