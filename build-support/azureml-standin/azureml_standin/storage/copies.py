"""Check the two requests of storage that copy a blob, and respond to them.

https://learn.microsoft.com/rest/api/storageservices/ `copy-blob` (in the background) and
`copy-blob-from-url` (at once).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from urllib.parse import urlsplit

from azureml_standin.http.errors import StorageError
from azureml_standin.http.messages import HttpRequest, HttpResponse
from azureml_standin.state import BlobRecord
from azureml_standin.storage.live_files import range_md5

_LONGEST_ADDRESS = 2048
_COPY_FROM_URL_BYTES = 256 << 20
_SOURCE_MD5 = "x-ms-source-content-md5"


def _is_at_once(request: HttpRequest) -> bool:
    """Return whether a request with `x-ms-copy-source` is Copy Blob From URL."""
    if request.body.size:
        raise StorageError(400, "InvalidHeaderValue", "A copy has no body: Content-Length is 0.")
    if "x-ms-blob-type" in request.headers:
        raise StorageError(400, "InvalidHeaderValue", "The stand-in has no Put Blob From URL.")
    # Azure's own client writes `True`.
    is_sync = request.headers.get("x-ms-requires-sync", "false").lower()
    if is_sync not in ("true", "false"):
        raise StorageError(400, "InvalidHeaderValue", f"x-ms-requires-sync is {is_sync!r}.")
    return is_sync == "true"


def source_request(request: HttpRequest) -> HttpRequest:
    """Return the request that reads the source, with the credentials given for it."""
    url = request.headers["x-ms-copy-source"]
    parts = urlsplit(url)
    if len(url) > _LONGEST_ADDRESS or not parts.netloc:
        raise StorageError(400, "InvalidHeaderValue", "x-ms-copy-source is not an address.")
    headers = {
        "host": parts.netloc,
        "x-ms-version": request.headers.get("x-ms-version", ""),
        "authorization": request.headers.get("x-ms-copy-source-authorization", ""),
    }
    return HttpRequest("GET", f"{parts.path}?{parts.query}", headers)


def is_for_whole_account(request: HttpRequest) -> bool:
    """Return whether the credential of the copy also allows to read a source in the account.

    That is so only with a key, and only in the background:
    https://github.com/Azure/azure-sdk-for-python/issues/36176
    """
    is_by_key = request.headers.get("authorization", "").lower().startswith("sharedkey")
    return is_by_key and not _is_at_once(request)


def check_source(request: HttpRequest, source: BlobRecord) -> None:
    """Raise `StorageError` if the source cannot be copied in this way."""
    if not _is_at_once(request):
        return
    if source.size > _COPY_FROM_URL_BYTES:
        raise StorageError(409, "CannotVerifyCopySource", "The source is larger than 256 MiB.")
    if not source.size:
        # https://github.com/Azure/azure-sdk-for-js/issues/6577
        raise StorageError(400, "CannotVerifyCopySource", "The source is empty.")
    given = request.headers.get(_SOURCE_MD5)
    if given and given != range_md5(source.file, 0, source.size):
        raise StorageError(400, "Md5Mismatch", "The MD5 of the source is different.")


def copied(request: HttpRequest, identity: Mapping[str, str], md5: str) -> HttpResponse:
    """Respond to a copy that was made. Its blob has this MD5."""
    given = {"Content-MD5": md5} if _SOURCE_MD5 in request.headers else {}
    copy = {"x-ms-copy-id": str(uuid.uuid4()), "x-ms-copy-status": "success"}
    return HttpResponse(202, headers={**identity, **given, **copy})
