"""HTTP without retries: certificates, proxies, time limits, and connections that are kept."""

from __future__ import annotations

import io
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azureml_jobs.azure.answers import Response, ServiceError, without_secrets
from azureml_jobs.base.web import (
    NETWORK_REMEDY,
    failure_reason,
    failure_remedy,
    is_certificate_error,
    pool_manager,
    tls_context,
)

if TYPE_CHECKING:
    import urllib3

_CONNECT_SECONDS = 10.0
# A service that sends nothing for so long does not respond any more.
_SILENCE_SECONDS = 20.0
_READ_BYTES = 1 << 16

Sink = Callable[[bytes], object]


class NoResponse(ServiceError):
    """There was no whole response.

    `is_final`: a part of it was handed on already, or it would fail again.
    """

    def __init__(
        self, where: str, what: str, remedy: str = NETWORK_REMEDY, is_final: bool = False
    ) -> None:
        super().__init__(where, without_secrets(what).rstrip("."), remedy=remedy)
        self.is_final = is_final


class Transport:
    """Sends requests, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str], tuple[urllib3.HTTPConnectionPool, bool]] = {}
        self._context: ssl.SSLContext | None = None

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
        sink_of: Callable[[Response], Sink | None],
    ) -> Response:
        """Send a request once. Raises `NoResponse`.

        `sink_of` returns for the head of a response what is given its body, in parts as they come;
        for None, the body is in the response. `deadline` is a time of the monotonic clock.
        """
        import urllib3

        where, has_begun, parts = shortened(method, url), False, list[bytes]()
        silence = max(0.1, min(_SILENCE_SECONDS, deadline - time.monotonic()))
        try:
            pool, target = self._pool(url)
            # Bytes would go out in one call with one time limit, whatever their number.
            response = pool.urlopen(
                method,
                target,
                headers=dict(headers),
                body=None if body is None else io.BytesIO(body),
                timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, silence), read=silence),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                head = Response(where, response.status, response.headers)
                sink = sink_of(head)
                for part in iter(lambda: response.read1(_READ_BYTES), b""):
                    if sink is not None:
                        has_begun = True
                        sink(part)
                        continue
                    if parts and time.monotonic() > deadline:
                        raise NoResponse(where, "the response takes too long")
                    parts.append(part)
            except BaseException:
                # Only a response that was read to its end leaves a connection to use again.
                response.close()
                raise
        except urllib3.exceptions.HTTPError as error:
            is_wrong = isinstance(error, urllib3.exceptions.LocationValueError)
            is_final = has_begun or is_wrong or is_certificate_error(error)
            remedy = failure_remedy(error, url)
            raise NoResponse(where, failure_reason(error), remedy, is_final) from error
        return replace(head, body=b"".join(parts))

    def _pool(self, url: str) -> tuple[urllib3.HTTPConnectionPool, str]:
        """Return the connections to a host, and what to ask them for.

        They are found once: for a small file that is a third of the work.
        """
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        with self._lock:
            if key not in self._pools:
                self._pools[key] = self._connected(*key)
            pool, is_absolute = self._pools[key]
        return pool, url if is_absolute else parts._replace(scheme="", netloc="").geturl()

    def _connected(self, scheme: str, host: str) -> tuple[urllib3.HTTPConnectionPool, bool]:
        """Return connections, and whether a proxy needs the whole address."""
        self._context = self._context or tls_context()
        manager = pool_manager(scheme, host, self._context, maxsize=64, blocksize=1 << 17)
        pool = manager.connection_from_url(f"{scheme}://{host}")
        return pool, manager.proxy is not None and scheme == "http"


def shortened(method: str, url: str) -> str:
    """Return a request without its query, which may hold a signature, and without long ids."""
    parts = urlsplit(url)
    provider = r"Microsoft\.(MachineLearningServices|ContainerRegistry)"
    path = re.sub(rf"^.*/providers/{provider}", "…", parts.path)
    return f"{method} {parts.hostname}{path}"
