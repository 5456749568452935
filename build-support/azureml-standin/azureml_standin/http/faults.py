"""Inject faults: rules that say which requests fail, and how."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from azureml_standin.http.messages import (
    HttpError,
    HttpRequest,
    HttpResponse,
    RegistryError,
    StorageError,
)

_ERRORS = {"blob": StorageError, "registry": RegistryError}

# The connection is reset after the head of the request; the request has no effect.
RESET_BEFORE = "reset-before"
# The connection is reset in the request's body or, if it has none, in the response's head.
RESET_AMID = "reset-amid"
# The request has its effect, but the connection is reset in place of the response.
RESET_AFTER = "reset-after"
# The usual response, `seconds` later.
SLOW = "slow"
# Half of the response's body, after which the connection ends.
TRUNCATED = "truncated"
# The response has this `status`; the request has no effect.
STATUS = "status"
# The response has this `status`; the request has its effect all the same.
STATUS_AFTER = "status-after"
# Something on the way answers in the service's place, with this `status`, `body` and `media_type`.
PAGE = "page"
# 401, as for a token that has expired.
EXPIRED_TOKEN = "expired-token"

KINDS = (
    *(RESET_BEFORE, RESET_AMID, RESET_AFTER, SLOW, TRUNCATED),
    *(STATUS, STATUS_AFTER, PAGE, EXPIRED_TOKEN),
)


@dataclass
class Fault:
    """A rule for requests of `method` whose path, with its query, matches the pattern `path`.

    With `header` (in lower case), only for requests that have this header. The rule skips the first
    `skip` matching requests and hits the next `times` (None: all). `retry_after` is the value of
    the header in seconds. `hits` counts.
    """

    kind: str
    method: str = ""
    path: str = ""
    header: str = ""
    skip: int = 0
    times: int | None = 1
    status: int = 503
    retry_after: float | None = None
    seconds: float = 0.0
    body: str = "<html><body>Sign in</body></html>"
    media_type: str = "text/html"
    hits: int = 0
    seen: int = field(default=0, repr=False)

    def matches(self, request: HttpRequest) -> bool:
        return (
            self.method in ("", request.method)
            and (not self.header or self.header in request.headers)
            and re.search(self.path, request.public_target) is not None
        )

    def response(self, kind: str) -> HttpResponse:
        """Return the response of a fault with a status to a kind of request."""
        if self.kind == PAGE:
            return HttpResponse(self.status, self.body.encode(), {"Content-Type": self.media_type})
        if self.kind == EXPIRED_TOKEN:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            message = "The access token expiry is in the past."
            return HttpError(401, "ExpiredAuthenticationToken", message, headers).response()
        headers = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
        error = _ERRORS.get(kind, HttpError)
        code = HTTPStatus(self.status).phrase.title().replace(" ", "")
        return error(self.status, code, "An injected fault.", headers).response()


class Faults:
    """The rules in force, tried in the order in which they were added."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, kind: str, method: str = "", path: str = "", **settings: Any) -> Fault:
        """Add a rule. `settings` are the other fields of `Fault`."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}. There are {', '.join(KINDS)}")
        rule = Fault(kind, method, path, **settings)
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        self._rules.clear()

    def next_for(self, request: HttpRequest) -> Fault:
        """Return the rule that hits this request, if any, and count the hit."""
        with self._lock:
            for rule in self._rules:
                if rule.matches(request):
                    rule.seen += 1
                    if rule.seen > rule.skip and rule.hits != rule.times:
                        rule.hits += 1
                        return rule
        # It has no kind, and does nothing.
        return Fault("")
