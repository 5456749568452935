"""Find the handler of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse

Handler = Callable[..., HttpResponse]

_PLACEHOLDER = re.compile(r"\{(\w+)(\*|=[^}]+)?\}")


@dataclass(frozen=True)
class Route:
    """`pattern` is a path with `{name}` for one segment, `{name*}` for the rest, `{name=a|b}`.

    The handler gets the request, and the segments by name. As in Azure Resource Manager, fixed
    segments match in any case.
    """

    method: str
    pattern: str
    handler: Handler


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(route, _compile(route.pattern)) for route in routes]

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Call the handler. Raises `HttpError` 404 for an unknown path, 405 for another method."""
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
        raise HttpError(404, "InvalidResourceType", f"There is no {request.path}.")


def _compile(pattern: str) -> re.Pattern[str]:
    parts = []
    position = 0
    for placeholder in _PLACEHOLDER.finditer(pattern):
        parts.append(f"(?i:{re.escape(pattern[position : placeholder.start()])})")
        given = placeholder[2] or ""
        segment = given[1:] or (".*" if given else "[^/]+")
        parts.append(f"(?P<{placeholder[1]}>{segment})")
        position = placeholder.end()
    parts.append(f"(?i:{re.escape(pattern[position:])})")
    return re.compile("".join(parts), re.DOTALL)
