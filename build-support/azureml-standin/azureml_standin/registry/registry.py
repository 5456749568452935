"""A registry of images as Docker pushes to it and pulls from it.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import re
from pathlib import Path

from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, RegistryError
from azureml_standin.http.routing import Handler, Route, Router
from azureml_standin.registry.access import PULL, PUSH, RegistryAccess
from azureml_standin.registry.images import Images
from azureml_standin.state import State

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*")


class Registry:
    """`images` holds what was pushed; its files are below `folder`."""

    def __init__(self, state: State, access: RegistryAccess, folder: Path) -> None:
        self.access = access
        self.images = Images(state, folder)
        self._router = Router(self._routes())

    def _routes(self) -> list[Route]:
        images = self.images
        blob, upload = "/v2/{name*}/blobs/{digest}", "/v2/{name*}/blobs/uploads/{upload}"
        manifest = "/v2/{name*}/manifests/{reference}"
        pulling: dict[tuple[str, str], Handler] = {
            ("HEAD", blob): images.get_blob,
            ("GET", blob): images.get_blob,
            ("HEAD", manifest): images.get_manifest,
            ("GET", manifest): images.get_manifest,
        }
        pushing: dict[tuple[str, str], Handler] = {
            ("POST", "/v2/{name*}/blobs/uploads/"): images.begin,
            ("PATCH", upload): images.append,
            ("PUT", upload): images.finish,
            ("PUT", manifest): images.put_manifest,
        }
        return [
            Route("POST", "/oauth2/exchange", self.access.exchange),
            Route("POST", "/oauth2/token", self.access.token),
            Route("GET", "/v2/", self._ping),
            *(Route(*key, self._authorized(each, PULL)) for key, each in pulling.items()),
            *(Route(*key, self._authorized(each, PULL, PUSH)) for key, each in pushing.items()),
        ]

    def respond(self, request: HttpRequest) -> HttpResponse:
        try:
            response = self._router.respond(request)
        except RegistryError:
            raise
        except HttpError as error:
            raise RegistryError(error.status, "UNSUPPORTED", error.message) from error
        response.headers.setdefault("Docker-Distribution-Api-Version", "registry/2.0")
        return response

    def _ping(self, request: HttpRequest) -> HttpResponse:
        self.access.check(request)
        return HttpResponse(200, b"{}", {"Content-Type": "application/json"})

    def _authorized(self, handler: Handler, *actions: str) -> Handler:
        def respond(request: HttpRequest, name: str, **segments: str) -> HttpResponse:
            if not _NAME.fullmatch(name) or len(name) > 255:
                raise RegistryError(400, "NAME_INVALID", f"invalid name of a repository: {name!r}")
            self.access.check(request, name, *actions)
            return handler(request, name, **segments)

        return respond
