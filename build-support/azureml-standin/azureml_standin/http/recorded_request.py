"""Record one request, inject its fault, and respond to it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from azureml_standin.http import faults
from azureml_standin.http.faults import Faults
from azureml_standin.http.messages import HttpRequest, HttpResponse, RequestBody
from azureml_standin.http.recording import Recording


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
        if self._fault is not None:
            self._recorded.fault = self._fault.kind

    def part_before_reset(self) -> float | None:
        kind = self._fault.kind if self._fault else ""
        return {faults.RESET_BEFORE: 0.0, faults.RESET_AMID: 0.5}.get(kind)

    def part_of_response(self) -> float:
        return 0.5 if self._fault and self._fault.kind == faults.TRUNCATED else 1.0

    def respond(self, body: RequestBody) -> HttpResponse | None:
        self._request.body = body
        self._recorded.request_bytes = body.size
        self._recording.keep_content(self._recorded, self._request)
        response = self._respond()
        self._recorded.seconds = time.monotonic() - self._started
        if response is not None:
            response.headers.setdefault("x-ms-request-id", str(uuid.uuid4()))
            self._recorded.status = response.status
            self._recorded.response_bytes = response.size
        return response

    def _respond(self) -> HttpResponse | None:
        fault = self._fault
        if fault and fault.kind in (faults.STATUS, faults.EXPIRED_TOKEN):
            return fault.response(self._kind)
        if fault and fault.kind == faults.SLOW:
            self._wait(fault.seconds)
        response = self._handle(self._request, self._kind)
        self._recorded.was_handled = response.status < 400
        if fault and fault.kind in (faults.RESET_AFTER, faults.STATUS_AFTER):
            if not isinstance(response.body, bytes):
                response.body.close()
            return None if fault.kind == faults.RESET_AFTER else fault.response(self._kind)
        return response
