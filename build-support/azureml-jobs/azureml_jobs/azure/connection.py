"""HTTP to Azure: certificates, proxies, time limits, tokens, and retries with backoff and jitter.

Every request that this tool sends may be sent again: names of jobs, assets and blobs are chosen
here, so that a second request finds what the first one made. Therefore all are retried alike.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from azureml_jobs.base.errors import OutsideError

if TYPE_CHECKING:
    import urllib3

# How many seconds a request is tried before its failure is told.
PATIENCE_VARIABLE = "AZUREML_JOBS_PATIENCE"
_PATIENCE_SECONDS = 40.0
_CONNECT_SECONDS = 10.0
# A service that sends nothing for so long does not answer any more.
_SILENCE_SECONDS = 20.0
# The slowest line on which a large body has to arrive, in bytes a second.
_SLOWEST_RATE = 50_000
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 8.0
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_READ_BYTES = 1 << 16
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class Tokens(Protocol):
    """Gives tokens for scopes; `rejected` is one that the service did not take."""

    def token(self, scope: str, rejected: str | None = None) -> str: ...


@dataclass(frozen=True)
class Answer:
    """`headers` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


class ServiceError(OutsideError):
    """A request failed for good: `status` of the answer, 0 when none came."""

    def __init__(self, where: str, what: str, status_code: int = 0, code: str = "") -> None:
        super().__init__(where, what, _REMEDIES.get(status_code, ""))
        self.status_code = status_code
        self.code = code


_REMEDIES = {
    0: "Look at the network and, where there is a proxy, at `HTTPS_PROXY`.",
    401: "Sign in again, for example by `az login`.",
    403: "Your account lacks a role for this: docs/azure.md names the roles.",
}


class Connection:
    """Requests from any thread. With `tokens`, requests that name a scope carry a token."""

    def __init__(self, tokens: Tokens | None = None, patience: float | None = None) -> None:
        self._tokens = tokens
        self._patience = patience_seconds() if patience is None else patience
        self._lock = threading.Lock()
        self._origins: dict[tuple[str, str], _Origin] = {}
        self._context: ssl.SSLContext | None = None
        self.sent_bytes = 0
        self.sent_requests = 0

    def request(
        self,
        method: str,
        url: str,
        *,
        scope: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | Mapping[str, Any] | None = None,
        accept: Callable[[int], bool] = lambda status: 200 <= status < 300,
        sink: Callable[[bytes], None] | None = None,
        retry_also: frozenset[int] = frozenset(),
        patience: float | None = None,
    ) -> Answer:
        """Send a request until it is answered as `accept` wants, or patience ends.

        `patience` in seconds makes it end earlier than for other requests.

        A mapping is sent as JSON. `sink` takes the parts of a large answer as they come; it is
        given them once, so that a broken answer is an error at once. Raises `ServiceError`.
        """
        given = dict(headers or {})
        if isinstance(body, Mapping):
            body = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        if method in ("POST", "PUT", "PATCH"):
            given["Content-Length"] = str(len(body or b""))
        longest = self._patience if patience is None else min(patience, self._patience)
        limit = longest + len(body or b"") / _SLOWEST_RATE
        deadline = time.monotonic() + limit
        pause, token, renewed = _FIRST_PAUSE, None, False
        while True:
            if scope is not None and self._tokens is not None:
                token = token or self._tokens.token(scope)
                given["Authorization"] = f"Bearer {token}"
            wait = random.uniform(pause / 2, pause)
            try:
                answer = self._send(method, url, given, body, deadline, sink)
            except _Broken as broken:
                failure = ServiceError(_place(method, url), str(broken))
                if broken.is_final:
                    raise failure from broken
            else:
                if accept(answer.status):
                    return answer
                failure = _told(method, url, answer)
                if answer.status == 401 and token and self._tokens and scope and not renewed:
                    # It may have been revoked, or the clock here may be wrong.
                    token, renewed = self._tokens.token(scope, rejected=token), True
                    continue
                if answer.status not in _TRANSIENT and answer.status not in retry_also:
                    raise failure
                wait = max(wait, _retry_after(answer))
            if time.monotonic() + wait >= deadline:
                raise failure
            time.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def token(self, scope: str) -> str:
        """A token that can be handed to a service which acts on the user's behalf."""
        return self._tokens.token(scope) if self._tokens else ""

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
        sink: Callable[[bytes], None] | None,
    ) -> Answer:
        import urllib3

        with self._lock:
            self.sent_requests += 1
            self.sent_bytes += len(body or b"")
        silence = max(0.1, min(_SILENCE_SECONDS, deadline - time.monotonic()))
        begun = False
        origin = self._origin(url)
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
                parts = []
                is_wanted = sink is not None and 200 <= response.status < 300
                for part in iter(lambda: response.read1(_READ_BYTES), b""):
                    if is_wanted and sink is not None:
                        begun = True
                        sink(part)
                        continue
                    parts.append(part)
                    if time.monotonic() > deadline:
                        raise _Broken("the answer takes too long")
            except BaseException:
                # Only an answer that was read to its end leaves a connection to use again.
                response.close()
                raise
        except urllib3.exceptions.HTTPError as error:
            raise _Broken(_in_words(error), is_final=begun) from error
        except OSError as error:
            raise _Broken(error.strerror or str(error), is_final=begun) from error
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.headers.items()},
            b"".join(parts),
        )

    def _origin(self, url: str) -> _Origin:
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        with self._lock:
            if key not in self._origins:
                self._context = self._context or _tls()
                self._origins[key] = _Origin.of(*key, self._context)
            return self._origins[key]


@dataclass(frozen=True)
class _Origin:
    """Connections to one scheme and host, found once: for a small file that is a third of the work.

    `is_absolute`: a proxy is told the whole address.
    """

    pool: urllib3.HTTPConnectionPool
    is_absolute: bool

    @classmethod
    def of(cls, scheme: str, host: str, context: ssl.SSLContext) -> _Origin:
        import urllib3

        settings: dict[str, Any] = {"maxsize": 64, "blocksize": 1 << 17, "ssl_context": context}
        manager, proxy = urllib3.PoolManager(**settings), ""
        if not urllib.request.proxy_bypass(host):
            proxies = urllib.request.getproxies_environment()
            proxy = proxies.get(scheme) or proxies.get("all") or ""
        if proxy:
            manager = urllib3.ProxyManager(proxy, **settings)
        pool = manager.connection_from_url(f"{scheme}://{host}")
        return cls(pool, bool(proxy) and scheme == "http")

    def target(self, url: str) -> str:
        return url if self.is_absolute else urlsplit(url)._replace(scheme="", netloc="").geturl()


class _Broken(Exception):
    def __init__(self, what: str, is_final: bool = False) -> None:
        super().__init__(what)
        self.is_final = is_final


def patience_seconds() -> float:
    try:
        return max(0.1, float(os.environ[PATIENCE_VARIABLE]))
    except (KeyError, ValueError):
        return _PATIENCE_SECONDS


def _tls() -> ssl.SSLContext:
    file = next((os.environ[name] for name in _CA_VARIABLES if os.environ.get(name)), None)
    if file is None:
        import certifi

        file = certifi.where()
    try:
        if os.path.isdir(file):
            return ssl.create_default_context(capath=file)
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        raise OutsideError(file, f"the certificates there cannot be read: {error}") from error


def _retry_after(answer: Answer) -> float:
    """Seconds that the service asks to wait; Azure tells them in milliseconds, too."""
    text = answer.headers.get("retry-after-ms") or answer.headers.get("x-ms-retry-after-ms")
    try:
        if text:
            return float(text) / 1000
        return float(answer.headers.get("retry-after") or 0)
    except ValueError:
        return 0.0


def _told(method: str, url: str, answer: Answer) -> ServiceError:
    code, message = _error_of(answer)
    what = f"{answer.status} {code}".strip() + (f": {message}" if message else "")
    return ServiceError(_place(method, url), f"the service answered {what}", answer.status, code)


def _error_of(answer: Answer) -> tuple[str, str]:
    """Code and message of an error: JSON of the resource manager, or XML of storage."""
    text = answer.body[:65536].decode("utf-8", "replace")
    code = answer.headers.get("x-ms-error-code", "")
    try:
        error = json.loads(text)
        # A registry of images lists errors.
        error = error.get("error") or (error.get("errors") or [error])[0]
        return str(error.get("code") or code), _short(str(error.get("message") or ""))
    except (ValueError, AttributeError):
        found = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
        return code, _short(found[1] if found else "")


def _short(message: str) -> str:
    return without_secrets(" ".join(message.split()))[:500].rstrip(".")


def without_secrets(text: str) -> str:
    """`text` without signatures of storage addresses, and without tokens."""
    secret = r"(?i)\b(sig|access_token|refresh_token|client_secret)=[^&\s\"'<]+"
    text = re.sub(secret, r"\1=***", text)
    text = re.sub(r"(?i)\b(Bearer|SharedKey) [\w.~+/:=-]+", r"\1 ***", text)
    return re.sub(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*", "***", text)


def _place(method: str, url: str) -> str:
    """A request as it is told: the query may hold a signature, and long ids say nothing."""
    parts = urlsplit(url)
    provider = r"Microsoft\.(MachineLearningServices|ContainerRegistry)"
    path = re.sub(rf"^.*/providers/{provider}", "…", parts.path)
    return f"{method} {parts.hostname}{path}"


def _in_words(error: Exception) -> str:
    text = str(error.__cause__ or error)
    # urllib3 puts its own objects in front: `<HTTPSConnection(…) at 0x…>: `.
    return without_secrets(re.sub(r"<[^>]*>: |HTTPSConnectionPool\([^)]*\): ", "", text)).rstrip(
        "."
    )
