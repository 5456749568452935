"""Record requests for tests, without secrets, inject their faults, and respond to them."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azureml_standin.http import faults
from azureml_standin.http.faults import Faults
from azureml_standin.http.messages import SECRET_QUERY, HttpRequest, HttpResponse, RequestBody

_SECRET_HEADERS = frozenset(
    {
        *("authorization", "x-ms-copy-source-authorization"),
        *("x-azureml-token", "cookie", "x-identity-header"),
    }
)


@dataclass
class Recorded:
    """One request. `status` and `response_bytes` are None when no response was sent.

    kind: `sign-in`, `metadata`, `arm`, `data-plane`, `blob`, `registry` or `proxy`.
    content: the JSON body of a request to `arm` or `data-plane`.
    was_handled: whether the request had its effect.
    """

    started: float
    kind: str
    method: str
    host: str
    path: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    request_bytes: int = 0
    content: Any = None
    status: int | None = None
    response_bytes: int | None = None
    was_handled: bool = False
    seconds: float = 0.0


@dataclass
class Recording:
    """All requests in the order of their arrival; none is kept unless `is_kept`."""

    requests: list[Recorded] = field(default_factory=list)
    is_kept: bool = True

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def begin(self, request: HttpRequest, kind: str, request_bytes: int) -> Recorded:
        with self._lock:
            recorded = Recorded(
                started=time.time(),
                kind=kind,
                method=request.method,
                host=request.host,
                path=request.path,
                target=request.public_target,
                query={k: v for k, v in request.query.items() if k not in SECRET_QUERY},
                headers={
                    key: re.sub(r"\bsig=[^&]*", "sig=***", value)
                    for key, value in request.headers.items()
                    if key.lower() not in _SECRET_HEADERS
                },
                request_bytes=request_bytes,
            )
            if self.is_kept:
                self.requests.append(recorded)
            return recorded

    def keep_content(self, recorded: Recorded, request: HttpRequest) -> None:
        if self.is_kept and recorded.kind in ("arm", "data-plane") and request.body.size:
            try:
                recorded.content = json.loads(request.body.read())
            except ValueError:
                pass

    def find(
        self, method: str = "", path: str = "", kind: str = "", status: int | None = None
    ) -> list[Recorded]:
        """Return requests of a method and kind whose path, with its query, matches `path`."""
        pattern = re.compile(path)
        with self._lock:
            found = list(self.requests)
        return [
            each
            for each in found
            if (not method or each.method == method)
            and (not kind or each.kind == kind)
            and (status is None or each.status == status)
            and pattern.search(each.target)
        ]

    def clear(self) -> None:
        with self._lock:
            self.requests.clear()


class RecordedRequest:
    """`handle` makes the response; `wait` sleeps until the service ends."""

    def __init__(
        self,
        request: HttpRequest,
        kind: str,
        recording: Recording,
        rules: Faults,
        handle: Callable[[HttpRequest, str], HttpResponse],
        wait: Callable[[float], object],
    ) -> None:
        self._request = request
        self._kind = kind
        self._recording = recording
        self._handle = handle
        self._wait = wait
        self._started = time.monotonic()
        length = int(request.headers.get("content-length") or 0)
        self._recorded = recording.begin(request, kind, length)
        self._fault = rules.next_for(request)

    def part_before_reset(self) -> float | None:
        """Return the part of the body to read before a reset; None: all, and no reset."""
        kind = self._fault.kind if self._fault else ""
        return {faults.RESET_BEFORE: 0.0, faults.RESET_AMID: 0.5}.get(kind)

    def part_of_response(self) -> float:
        """Return the part of the response's body to send; below 1 the connection ends then."""
        return 0.5 if self._fault and self._fault.kind == faults.TRUNCATED else 1.0

    def respond(self, body: RequestBody) -> HttpResponse | None:
        """Respond to the request after its body was read. None: reset the connection."""
        self._request.body = body
        self._recorded.request_bytes = body.size
        self._recording.keep_content(self._recorded, self._request)
        response = self._respond()
        self._recorded.seconds = time.monotonic() - self._started
        if response is not None:
            self._recorded.status = response.status
            self._recorded.response_bytes = response.size
        return response

    def _respond(self) -> HttpResponse | None:
        fault = self._fault
        if fault and fault.kind in (faults.STATUS, faults.PAGE, faults.EXPIRED_TOKEN):
            return fault.response(self._kind)
        if fault and fault.kind == faults.SLOW:
            self._wait(fault.seconds)
        response = self._handle(self._request, self._kind)
        response.headers.setdefault("x-ms-request-id", str(uuid.uuid4()))
        self._recorded.was_handled = response.status < 400
        if fault and fault.kind in (faults.RESET_AFTER, faults.STATUS_AFTER):
            if not isinstance(response.body, bytes):
                response.body.close()
            return None if fault.kind == faults.RESET_AFTER else fault.response(self._kind)
        return response
