"""HTTP without retries: certificates, proxies, time limits, and connections that are kept."""

from __future__ import annotations

import io
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azureml_jobs.base.web import (
    NETWORK_REMEDY,
    failure_reason,
    failure_remedy,
    is_certificate_error,
    proxy_of,
    tls_context,
)

if TYPE_CHECKING:
    import urllib3

_CONNECT_SECONDS = 10.0
# A service that sends nothing for so long does not respond any more.
_SILENCE_SECONDS = 20.0
_READ_BYTES = 1 << 16


@dataclass(frozen=True)
class Response:
    """`where` is the request without what is secret. `headers` have names in lower case."""

    where: str
    status: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def is_page(self) -> bool:
        """Whether it is for people: a sign-in page of the network, or one of a proxy."""
        return "html" in self.headers.get("content-type", "").lower()


class TransportError(Exception):
    """There was no whole response.

    `is_final`: a part of it was handed on already, or it would fail again.
    """

    def __init__(self, what: str, remedy: str = NETWORK_REMEDY, is_final: bool = False) -> None:
        super().__init__(what)
        self.remedy = remedy
        self.is_final = is_final


class Transport:
    """Sends requests, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._origins: dict[tuple[str, str], _Origin] = {}
        self._context: ssl.SSLContext | None = None

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
        sink: Callable[[Response], Callable[[bytes], None] | None],
    ) -> Response:
        """Send a request once. Raises `TransportError`.

        `sink` returns for the head of a response what is given its body, in parts as they come;
        for None, the body is in the response. `deadline` is a time of the monotonic clock.
        """
        import urllib3

        silence = max(0.1, min(_SILENCE_SECONDS, deadline - time.monotonic()))
        origin = self._origin(url)
        body_reader = _BodyReader(deadline)
        try:
            # Bytes would go out in one call with one time limit, whatever their number.
            response = origin.pool.urlopen(
                method,
                origin.target(url),
                headers=dict(headers),
                body=None if body is None else io.BytesIO(body),
                timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, silence), read=silence),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                names = {name.lower(): value for name, value in response.headers.items()}
                head = Response(shortened(method, url), response.status, names)
                content = body_reader.read(response, sink(head))
            except BaseException:
                # Only a response that was read to its end leaves a connection to use again.
                response.close()
                raise
        except urllib3.exceptions.HTTPError as error:
            remedy = failure_remedy(error, url)
            is_final = body_reader.has_begun or is_certificate_error(error)
            raise TransportError(failure_reason(error), remedy, is_final) from error
        except OSError as error:
            if body_reader.failed_to_write:
                raise
            remedy = failure_remedy(error, url)
            what = error.strerror or str(error)
            raise TransportError(what, remedy, body_reader.has_begun) from error
        return replace(head, body=content)

    def _origin(self, url: str) -> _Origin:
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        with self._lock:
            if key not in self._origins:
                self._context = self._context or tls_context()
                self._origins[key] = _Origin.of(*key, self._context)
            return self._origins[key]


class _BodyReader:
    """`has_begun`: a part was handed on; `failed_to_write`: whoever takes the parts has failed."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self.has_begun = False
        self.failed_to_write = False

    def read(
        self, response: urllib3.BaseHTTPResponse, sink: Callable[[bytes], None] | None
    ) -> bytes:
        """Read the body to its end; what `sink` takes is not returned."""
        parts = []
        for part in iter(lambda: response.read1(_READ_BYTES), b""):
            if sink is not None:
                self.has_begun = self.failed_to_write = True
                sink(part)
                self.failed_to_write = False
                continue
            parts.append(part)
            if time.monotonic() > self._deadline:
                raise TransportError("the response takes too long")
        return b"".join(parts)


@dataclass(frozen=True)
class _Origin:
    """Connections to one scheme and host, found once: for a small file that is a third of the work.

    `is_absolute`: a proxy needs the whole address.
    """

    pool: urllib3.HTTPConnectionPool
    is_absolute: bool

    @classmethod
    def of(cls, scheme: str, host: str, context: ssl.SSLContext) -> _Origin:
        import urllib3

        settings: dict[str, Any] = {"maxsize": 64, "blocksize": 1 << 17, "ssl_context": context}
        proxy = proxy_of(scheme, host)
        manager = urllib3.PoolManager(**settings)
        if proxy:
            manager = urllib3.ProxyManager(proxy, **settings)
        pool = manager.connection_from_url(f"{scheme}://{host}")
        return cls(pool, bool(proxy) and scheme == "http")

    def target(self, url: str) -> str:
        return url if self.is_absolute else urlsplit(url)._replace(scheme="", netloc="").geturl()


def shortened(method: str, url: str) -> str:
    """Return a request without its query, which may hold a signature, and without long ids."""
    parts = urlsplit(url)
    provider = r"Microsoft\.(MachineLearningServices|ContainerRegistry)"
    path = re.sub(rf"^.*/providers/{provider}", "…", parts.path)
    return f"{method} {parts.hostname}{path}"
