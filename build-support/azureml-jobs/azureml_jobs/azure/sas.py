"""Shared access signatures, which let their bearer read or write a container of storage."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

# Of the protocol of storage.
STORAGE_VERSION = "2021-12-02"
_HOURS = 12


def sas_of_key(
    account: str, container: str, key: str, permissions: str = "rwl", hours: float = _HOURS
) -> str:
    """Return a signature for all of a container, made from the account's key.

    It has no start, so that a clock which is a little fast does not matter.
    https://learn.microsoft.com/rest/api/storageservices/create-service-sas
    """
    end = datetime.now(timezone.utc) + timedelta(hours=hours)
    expiry = end.strftime("%Y-%m-%dT%H:%MZ")
    fields = [permissions, "", expiry, f"/blob/{account}/{container}"]
    # identifier, IP, protocol, version, resource, snapshot time, encryption scope, five headers
    fields += ["", "", "https", STORAGE_VERSION, "c", "", "", "", "", "", "", ""]
    signature = hmac.new(base64.b64decode(key), "\n".join(fields).encode(), hashlib.sha256)
    return urlencode(
        {
            "sp": permissions,
            "se": expiry,
            "spr": "https",
            "sv": STORAGE_VERSION,
            "sr": "c",
            "sig": base64.b64encode(signature.digest()).decode(),
        }
    )
