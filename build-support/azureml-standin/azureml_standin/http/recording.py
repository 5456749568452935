"""Record requests for tests, without secrets."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azureml_standin.http.faults import Fault
from azureml_standin.http.messages import HttpRequest

_SECRET_HEADERS = (
    *("authorization", "x-ms-copy-source-authorization"),
    *("x-azureml-token", "cookie", "x-identity-header"),
)


@dataclass
class Recorded:
    """One request. `status` and `response_bytes` are None when no response was sent.

    kind: `sign-in`, `metadata`, `arm`, `data-plane`, `blob` or `registry`.
    content: the JSON body of a request to `arm` or `data-plane`.
    """

    kind: str
    method: str
    host: str
    path: str
    target: str
    headers: Mapping[str, str]
    fault: Fault
    request_bytes: int = 0
    content: Any = None
    status: int | None = None
    response_bytes: int | None = None
    started: float = field(default_factory=time.time)
    seconds: float = 0.0


@dataclass
class Recording:
    """All requests in the order of their arrival; none is kept unless `is_kept`."""

    requests: list[Recorded] = field(default_factory=list)
    is_kept: bool = True

    def begin(self, request: HttpRequest, kind: str, fault: Fault) -> Recorded:
        headers = {
            key: re.sub(r"\bsig=[^&]*", "sig=***", value)
            for key, value in request.headers.items()
            if key not in _SECRET_HEADERS
        }
        names = (kind, request.method, request.host, request.path, request.public_target)
        length = int(headers.get("content-length") or 0)
        recorded = Recorded(*names, headers, fault, length)
        if self.is_kept:
            self.requests.append(recorded)
        return recorded

    def keep_content(self, recorded: Recorded, request: HttpRequest) -> None:
        recorded.request_bytes = request.body.seek(0, 2)
        if self.is_kept and recorded.kind in ("arm", "data-plane") and recorded.request_bytes:
            with contextlib.suppress(ValueError):
                recorded.content = json.loads(request.read())

    def find(
        self, method: str = "", path: str = "", kind: str = "", status: int | None = None
    ) -> list[Recorded]:
        """Return requests of a method and kind whose path, with its query, matches `path`."""
        pattern = re.compile(path)
        return [
            each
            for each in self.requests
            if method in ("", each.method)
            and kind in ("", each.kind)
            and status in (None, each.status)
            and pattern.search(each.target)
        ]

    def clear(self) -> None:
        self.requests.clear()
