"""Find the handler of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from azureml_standin.http.messages import HttpError, HttpRequest, HttpResponse, json_response

# What it returns becomes JSON, unless it is a response.
Handler = Callable[..., Any]

_PLACEHOLDER = re.compile(r"\{(\w+)(\*|=[^}]+)?\}")


class Route(NamedTuple):
    """`pattern` is a path with `{name}` for one segment, `{name*}` for the rest, `{name=a|b}`.

    The handler gets the request, and the segments by name; what is no response becomes JSON. As
    in Azure Resource Manager, fixed segments match in any case.
    """

    method: str
    pattern: str
    handler: Handler


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    """Mark a method of a part of the service as the handler of a path."""

    def marked(handler: Handler) -> Handler:
        vars(handler).setdefault("patterns", []).append((method, pattern))
        return handler

    return marked


def routes_of(*parts: object) -> list[Route]:
    """Return the routes of all marked methods."""
    return [
        Route(method, pattern, getattr(part, name))
        for part in parts
        for name, member in vars(type(part)).items()
        for method, pattern in getattr(member, "patterns", ())
    ]


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(route, _compile(route.pattern)) for route in routes]

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Call the handler. Raises `HttpError` 404 where there is none."""
        for route, pattern in self._routes:
            match = pattern.fullmatch(request.path)
            if match and route.method == request.method:
                found = route.handler(request, **match.groupdict())
                return found if isinstance(found, HttpResponse) else json_response(found)
        message = f"There is no {request.method} {request.path}."
        raise HttpError(404, "InvalidResourceType", message)


def _compile(pattern: str) -> re.Pattern[str]:
    first, *parts = _PLACEHOLDER.split(pattern)
    found = f"(?i:{re.escape(first)})"
    for name, given, fixed in zip(parts[::3], parts[1::3], parts[2::3]):
        segment = {None: "[^/]+", "*": ".*"}.get(given) or given[1:]
        found += f"(?P<{name}>{segment})(?i:{re.escape(fixed)})"
    return re.compile(found, re.DOTALL)
