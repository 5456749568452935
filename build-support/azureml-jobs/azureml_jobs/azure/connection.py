"""Requests to Azure: with tokens, and sent again until they succeed or patience ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from azureml_jobs.azure.retries import TRANSIENT_STATUSES, Retries, patience_seconds, retry_after
from azureml_jobs.azure.service_error import ServiceError
from azureml_jobs.azure.transport import Response, Transport, TransportError
from azureml_jobs.base.version import TOOLS_VERSION

# What the services' own logs name.
USER_AGENT = f"azureml-jobs/{TOOLS_VERSION}"
# The slowest line on which a large body has to arrive, in bytes a second.
_SLOWEST_RATE = 50_000


class TokenSource(Protocol):
    """Gives tokens for scopes; `rejected` is one that the service did not accept."""

    def token(self, scope: str, rejected: str | None = None) -> str: ...


def is_success(status: int) -> bool:
    return 200 <= status < 300


class Connection:
    """Requests from any thread. With `tokens`, requests that name a scope carry a token."""

    def __init__(self, tokens: TokenSource | None = None, patience: float | None = None) -> None:
        self._tokens = tokens
        self._patience = patience_seconds() if patience is None else patience
        self._transport = Transport()

    def request(
        self,
        method: str,
        url: str,
        *,
        scope: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, Any] | None = None,
        accept: Callable[[int], bool] = is_success,
        sink: Callable[[bytes], None] | None = None,
        retry_also: frozenset[int] = frozenset(),
        patience: float | None = None,
    ) -> Response:
        """Send a request until its status is one to `accept`, or patience ends.

        `patience` in seconds makes it end earlier than for other requests. A mapping is sent as
        JSON. `sink` is given the parts of a large response as they come, and once, so that a broken
        response is an error at once. Raises `ServiceError`.
        """
        sent = {"User-Agent": USER_AGENT, **(headers or {})}
        if isinstance(body, Mapping):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if method in ("POST", "PUT", "PATCH"):
            sent["Content-Length"] = str(len(body or b""))
        longest = self._patience if patience is None else min(patience, self._patience)
        retries = Retries(longest + len(body or b"") / _SLOWEST_RATE)
        token, is_renewed = None, False
        while True:
            if scope is not None and self._tokens is not None:
                token = token or self._tokens.token(scope)
                sent["Authorization"] = f"Bearer {token}"
            pause = 0.0
            try:
                response = self._transport.send(method, url, sent, body, retries.deadline, sink)
            except TransportError as error:
                failure = ServiceError.of_failure(method, url, str(error))
                if error.is_final:
                    raise failure from error
            else:
                if accept(response.status):
                    return response
                failure = ServiceError.of_response(method, url, response)
                if response.status == 401 and token and scope and self._tokens and not is_renewed:
                    # It may have been revoked, or the clock here may be wrong.
                    token, is_renewed = self._tokens.token(scope, rejected=token), True
                    continue
                if response.status not in TRANSIENT_STATUSES | retry_also:
                    raise failure
                pause = retry_after(response.headers)
            if not retries.wait(pause):
                raise failure

    def token(self, scope: str) -> str:
        """Return a token that can be handed to a service which acts on the user's behalf."""
        return self._tokens.token(scope) if self._tokens else ""
