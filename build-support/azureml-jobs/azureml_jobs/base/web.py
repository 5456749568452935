"""How web servers are reached: certificates, and the proxy of the environment."""

from __future__ import annotations

import os
import re
import ssl
import urllib.request

from azureml_jobs.base.errors import OutsideError

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


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
    return proxies.get(scheme) or proxies.get("all") or ""


def failure_reason(error: Exception) -> str:
    """Return what an exception of urllib3 says, for people."""
    cause = error.__cause__ or error
    # `('Connection aborted.', RemoteDisconnected(…))`
    inner = cause.args[-1] if cause.args and isinstance(cause.args[-1], Exception) else cause
    text = str(inner)
    # urllib3 puts its own objects in front: `<HTTPSConnection(…) at 0x…>: `.
    return re.sub(r"<[^>]*>: |HTTPSConnectionPool\([^)]*\): ", "", text)
