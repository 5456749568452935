"""Which handler a request belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse

Handler = Callable[..., HttpResponse]

_PLACE = re.compile(r"\{(\w+)(\*?)\}")


@dataclass(frozen=True)
class Route:
    """`pattern` is a path with `{name}` for one segment, `{name*}` for the rest.

    The handler gets the request and the segments by name. Fixed segments match in any case, as they
    do in Azure Resource Manager.
    """

    method: str
    pattern: str
    handler: Handler


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(route, _compiled(route.pattern)) for route in routes]

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Raises `HttpError` 404 for an unknown path, 405 for a method that it does not take."""
        allowed = []
        for route, pattern in self._routes:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            if route.method == request.method:
                return route.handler(request, **match.groupdict())
            allowed.append(route.method)
        if allowed:
            raise HttpError(
                405,
                "MethodNotAllowed",
                f"{request.path} does not take {request.method}.",
                Allow=", ".join(allowed),
            )
        raise HttpError(404, "InvalidResourceType", f"There is nothing at {request.path}.")


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    position = 0
    for place in _PLACE.finditer(pattern):
        parts.append(f"(?i:{re.escape(pattern[position : place.start()])})")
        parts.append(f"(?P<{place[1]}>{'.*' if place[2] else '[^/]+'})")
        position = place.end()
    parts.append(f"(?i:{re.escape(pattern[position:])})")
    return re.compile("".join(parts), re.DOTALL)
