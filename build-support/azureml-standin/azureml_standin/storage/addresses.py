"""Addresses in the storage account, by either of its names: a host, or a folder of our own."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from azureml_standin.http.messages import HttpRequest

_PATH_ADDRESS = re.compile(r"/([a-z0-9]{3,24})\.blob\.[a-z0-9.-]+(/.*|)")


def address_of(request: HttpRequest) -> tuple[str, str] | None:
    """Return account and path of a request to storage; None for any other request."""
    host = request.host.partition(":")[0]
    if ".blob." in host:
        return host.partition(".")[0], request.path
    match = _PATH_ADDRESS.fullmatch(request.path)
    return (match[1], match[2]) if match else None


def storage_location(uri: str) -> tuple[str, str] | None:
    """Return container and path of an address in the storage account, by either of its names.

    The last segment of the account's address is lost where azure-ai-ml joins a path to it
    (`Artifact.full_storage_path`), so that one without it is taken as well.
    """
    parts = urlsplit(uri)
    if parts.scheme != "https" or not parts.netloc:
        return None
    own = _PATH_ADDRESS.fullmatch(parts.path)
    path = unquote(own[2] if own else parts.path)
    container, _, rest = path.lstrip("/").partition("/")
    return (container, rest.strip("/")) if container else None
