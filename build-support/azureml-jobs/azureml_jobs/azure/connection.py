"""Requests to Azure: with tokens, and sent again until they succeed or patience ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from azureml_jobs.azure.answers import Response, ServiceError, WrongAnswer, any_answer
from azureml_jobs.azure.retries import TRANSIENT_STATUSES, Retries, patience_seconds, retry_after
from azureml_jobs.azure.transport import NoResponse, Sink, Transport, shortened
from azureml_jobs.base.version import TOOLS_VERSION

# What the services' own logs name.
USER_AGENT = f"azureml-jobs/{TOOLS_VERSION}"
SUCCESS = range(200, 300)
# The slowest line on which a large body has to arrive, in bytes a second.
_SLOWEST_RATE = 50_000
# A network whose page answers will go on, other than a service that is restarted.
_MOST_WRONG_ANSWERS = 3

Check = Callable[[Response], object]


class TokenSource(Protocol):
    """Gives tokens for scopes; `rejected` is one that the service did not accept."""

    def token(self, scope: str, rejected: str | None = None) -> str: ...


class Connection:
    """Requests from any thread. With `tokens`, requests that name a scope carry a token.

    `is_trusted` says of an address whether it may have one.
    """

    def __init__(
        self,
        tokens: TokenSource | None = None,
        is_trusted: Callable[[str], bool] = lambda url: True,
    ) -> None:
        self._tokens = tokens
        self._patience = patience_seconds()
        self._is_trusted = is_trusted
        self._transport = Transport()

    def request(
        self,
        method: str,
        url: str,
        *,
        scope: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, Any] | None = None,
        accept: Container[int] = SUCCESS,
        check: Check = any_answer,
        sink: Sink | None = None,
        retry_also: frozenset[int] = frozenset(),
        patience: float | None = None,
    ) -> Response:
        """Send a request until its status is one to `accept`, or patience ends.

        `check` returns the answer's value, or raises `WrongAnswer` for one that is accepted and
        cannot be the service's. `patience` in seconds makes it end earlier than for other requests.
        A mapping is sent as JSON. `sink` is given the parts of a large response as they come, and
        once, so that a broken response is an error at once. Raises `ServiceError`.
        """
        sent, content = _headers_and_body(method, headers, body)
        longest = self._patience if patience is None else min(patience, self._patience)
        retries = Retries(longest + len(content or b"") / _SLOWEST_RATE)
        token = self.token(scope, method, url)
        is_renewed, wrong_answers = False, 0

        def sink_of(head: Response) -> Sink | None:
            is_failure = isinstance(_checked(head, accept, check), ServiceError)
            return None if is_failure else sink

        while True:
            if token:
                sent["Authorization"] = f"Bearer {token}"
            pause = 0.0
            try:
                response = self._transport.send(
                    *(method, url, sent, content, retries.deadline, sink_of)
                )
            except NoResponse as error:
                if error.is_final:
                    raise
                failure: ServiceError = error
            else:
                checked = _checked(response, accept, check)
                if isinstance(checked, Response):
                    return checked
                failure = checked
                if response.status == 401 and token and not is_renewed:
                    # It may have been revoked, or the clock here may be wrong.
                    token, is_renewed = self.token(scope, method, url, token), True
                    continue
                if response.status in accept:
                    wrong_answers += 1
                elif response.status not in TRANSIENT_STATUSES | retry_also:
                    raise failure
                pause = retry_after(response.headers)
            if wrong_answers > _MOST_WRONG_ANSWERS or not retries.wait(pause):
                raise failure

    def read(self, parse: Check, method: str, url: str, **how: Any) -> Any:
        """Return what `parse` makes of an answer; it is the check, and `how` as for `request`."""
        return self.request(method, url, check=parse, **how).value

    def token(
        self, scope: str | None, method: str, url: str, rejected: str | None = None
    ) -> str | None:
        """Return the token to send. Raises `ServiceError` for an address that may not have one."""
        if scope is None or self._tokens is None:
            return None
        if not self._is_trusted(url):
            raise ServiceError(
                shortened(method, url),
                f"{urlsplit(url).netloc} is no host of the configured cloud, and gets no token",
                remedy="Check who made the workspace, datastore or registry that names this host, "
                "and `CLOUD` in config.env.",
            )
        return self._tokens.token(scope, rejected=rejected)


def _headers_and_body(
    method: str, headers: Mapping[str, str] | None, body: bytes | Mapping[str, Any] | None
) -> tuple[dict[str, str], bytes | None]:
    sent = {"User-Agent": USER_AGENT, **(headers or {})}
    if isinstance(body, Mapping):
        body = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    if method in ("POST", "PUT", "PATCH"):
        sent["Content-Length"] = str(len(body or b""))
    return sent, body


def _checked(response: Response, accept: Container[int], check: Check) -> Response | ServiceError:
    """Return an answer with its value, or why it does not count."""
    if response.status not in accept:
        return ServiceError.of_response(response)
    try:
        return replace(response, value=check(response))
    except WrongAnswer as error:
        return ServiceError.of_wrong_answer(response, error)
