"""How web servers are reached: certificates, and the proxy of the environment."""

from __future__ import annotations

import os
import re
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azureml_jobs.base.credentials import without_credentials
from azureml_jobs.base.errors import OutsideError

if TYPE_CHECKING:
    import urllib3

NETWORK_REMEDY = "Look at the network and, where there is a proxy, at `HTTPS_PROXY`."
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# OpenSSL's X509_V_ERR_…: CERT_NOT_YET_VALID, CERT_HAS_EXPIRED; HOSTNAME_MISMATCH, IP_….
_WRONG_TIME = frozenset({9, 10})
_WRONG_HOST = frozenset({62, 64})


def tls_context() -> ssl.SSLContext:
    """Return a context that trusts the authorities that the environment names, or the usual ones.

    Raises `OutsideError` when their file cannot be read.
    """
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


def proxy_of(scheme: str, host: str) -> str:
    """Return the address of the proxy for a host; it is empty when there is none."""
    if urllib.request.proxy_bypass(host):
        return ""
    proxies = urllib.request.getproxies_environment()
    proxy = proxies.get(scheme) or proxies.get("all") or ""
    # As curl and requests take `proxy:8080`.
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def pool_manager(
    scheme: str, host: str, context: ssl.SSLContext, **settings: Any
) -> urllib3.PoolManager:
    """Return the connections of urllib3 to a host, by its proxy where it has one.

    Raises `LocationValueError` of urllib3 for a proxy of no use.
    """
    import urllib3

    proxy = proxy_of(scheme, host)
    if proxy:
        return urllib3.ProxyManager(proxy, ssl_context=context, **settings)
    return urllib3.PoolManager(ssl_context=context, **settings)


def failure_reason(error: Exception) -> str:
    """Return what an exception of urllib3 says, for people, without credentials."""
    cause = error.__cause__ or error
    # `('Connection aborted.', RemoteDisconnected(…))`
    inner = cause.args[-1] if cause.args and isinstance(cause.args[-1], Exception) else cause
    text = str(inner)
    # urllib3 puts its own objects in front: `<HTTPSConnection(…) at 0x…>: `.
    return without_credentials(re.sub(r"<[^>]*>: |HTTPSConnectionPool\([^)]*\): ", "", text))


def failure_remedy(error: BaseException, url: str = "") -> str:
    """Return what to do about a connection that failed: its cause may be deep in `error`."""
    from urllib3.exceptions import ProxyError

    causes = list(_causes(error))
    for each in causes:
        if isinstance(each, ssl.SSLCertVerificationError):
            return _certificate_remedy(each)
    if any(isinstance(each, ProxyError) for each in causes):
        parts = urlsplit(url)
        if proxy := urlsplit(proxy_of(parts.scheme or "https", parts.netloc)).hostname:
            return f"Look at the proxy {proxy}, which `HTTPS_PROXY` names."
    if any(isinstance(each, socket.gaierror) for each in causes):
        return "Look at the network, its DNS and, for a private workspace, the VPN."
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return "Something that speaks no TLS answers there: look at `HTTPS_PROXY`."
    return NETWORK_REMEDY


def is_certificate_error(error: BaseException) -> bool:
    return any(isinstance(each, ssl.SSLCertVerificationError) for each in _causes(error))


def _certificate_remedy(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _WRONG_TIME:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        return f"Look at the clock of this machine: it says {now}."
    if error.verify_code in _WRONG_HOST:
        return "Something else answers under this name: look at the network, DNS and the proxy."
    return "Name the file with the authority of your proxy or network in `REQUESTS_CA_BUNDLE`."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what caused it, which libraries keep in several places."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
            waiting += [found for found in inner if isinstance(found, BaseException)]
