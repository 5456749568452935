"""Check the request that copies a blob at once, and find its source.

https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url
"""

from __future__ import annotations

from urllib.parse import urlsplit

from azureml_standin.http.messages import HttpRequest, StorageError
from azureml_standin.state import BlobRecord
from azureml_standin.storage.addresses import address_of
from azureml_standin.storage.headers import no_blob
from azureml_standin.storage.live_files import range_md5
from azureml_standin.storage.store import BlobStore

_LONGEST_ADDRESS = 2048
_LARGEST_SOURCE = 256 << 20


def copied_source(storage: BlobStore, request: HttpRequest) -> BlobRecord:
    """Return the blob that a request copies, if the caller may read it. Raises `StorageError`."""
    url, parts = request.headers["x-ms-copy-source"], urlsplit(request.headers["x-ms-copy-source"])
    # Azure's own client writes `True`.
    if request.headers.get("x-ms-requires-sync", "").lower() != "true" or request.body.size:
        raise StorageError(400, "InvalidHeaderValue", "The stand-in copies at once, and no body.")
    headers = {
        "host": parts.netloc,
        "x-ms-version": request.headers.get("x-ms-version", ""),
        "authorization": request.headers.get("x-ms-copy-source-authorization", ""),
    }
    reading = HttpRequest("GET", f"{parts.path}?{parts.query}", headers)
    address = address_of(reading)
    if len(url) > _LONGEST_ADDRESS or address is None:
        raise StorageError(400, "InvalidHeaderValue", "The source is not in this account.")
    container, _, name = address[1].lstrip("/").partition("/")
    try:
        storage.access.check(reading, address[0], container, name, "r")
        source = storage.blob(container, name)
        if source is None:
            raise no_blob()
    except StorageError as error:
        # With the status that reading the source has.
        raise StorageError(error.status, "CannotVerifyCopySource", error.message) from None
    # Of an empty one: https://github.com/Azure/azure-sdk-for-js/issues/6577
    if not 0 < source.size <= _LARGEST_SOURCE:
        raise StorageError(400, "CannotVerifyCopySource", "The source is empty or too large.")
    given = request.headers.get("x-ms-source-content-md5")
    if given and given != range_md5(source.file, 0, source.size):
        raise StorageError(400, "Md5Mismatch", "The MD5 of the source is different.")
    return source
