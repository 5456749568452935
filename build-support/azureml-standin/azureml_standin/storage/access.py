"""Authorize requests to storage: shared access signatures, account keys and tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from urllib.parse import urlencode

from azureml_standin.clouds import ACCOUNT, STORAGE_AUDIENCES
from azureml_standin.http.messages import HttpError, HttpRequest, StorageError
from azureml_standin.sign_in.tokens import Tokens

_VERSION = "2021-12-02"
READ_WRITE = "racwl"

# https://learn.microsoft.com/rest/api/storageservices/create-service-sas: fields in their order.
_SAS_AFTER_RESOURCE = ("si", "sip", "spr", "sv", "sr", "snapshot", "ses")
_SAS_HEADERS = ("rscc", "rscd", "rsce", "rscl", "rsct")
# https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
_SIGNED_HEADERS = (
    *("content-encoding", "content-language", "content-length", "content-md5", "content-type"),
    *("date", "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"),
)


class StorageAccess:
    """`key` is the account's key (base64)."""

    def __init__(self, tokens: Tokens, key: str) -> None:
        self.key = key
        self._tokens = tokens

    def signature(
        self, container: str, permissions: str = READ_WRITE, blob: str = "", seconds: float = 3600
    ) -> str:
        """Return a shared access signature, as the query of a URL, that is valid for `seconds`."""
        now = time.time()
        times = {"st": _utc(now - 600), "se": _utc(now + seconds)}
        scope = {"spr": "https", "sv": _VERSION, "sr": "b" if blob else "c"}
        fields = {"sp": permissions, **times, **scope}
        resource = f"/blob/{ACCOUNT}/{container}" + (f"/{blob}" if blob else "")
        fields["sig"] = self._signed(_sas_text(fields, resource))
        return urlencode(fields)

    def check(self, request: HttpRequest, container: str, blob: str, permissions: str) -> None:
        """Raise `StorageError` unless the request has one of `permissions`."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if "sig" in request.query:
            self._check_sas(request, container, blob, permissions)
        elif kind.lower() == "sharedkey":
            name, _, signature = value.partition(":")
            if not self._is_signed(signature, [_key_text(request, name)]):
                raise _denied("The MAC signature found in the HTTP request is not the same.")
        elif kind.lower() == "bearer":
            try:
                self._tokens.check(request, STORAGE_AUDIENCES)
            except HttpError as error:
                code = "InvalidAuthenticationInfo"
                raise StorageError(error.status, code, error.message) from error
        else:
            # The account does not reveal what it holds.
            raise StorageError(409, "PublicAccessNotPermitted", "Public access is not permitted.")

    def _check_sas(self, request: HttpRequest, container: str, blob: str, permissions: str) -> None:
        query = request.query
        path = {"c": container, "b": f"{container}/{blob}"}.get(query.get("sr", ""))
        # A client signs with the account's name, and that depends on how it reached us.
        texts = (
            _sas_text(query, f"/blob/{each}/{path}")
            for each in (ACCOUNT, f"{request.host}/{ACCOUNT}")
        )
        if path is None or not self._is_signed(query["sig"], texts):
            raise _denied("Signature did not match.")
        if not query.get("st", "") <= _utc(time.time()) < query.get("se", ""):
            raise _denied("Signature not valid in the specified time frame.")
        if not set(permissions) & set(query.get("sp", "")):
            code = "AuthorizationPermissionMismatch"
            raise StorageError(403, code, "The signature does not permit this operation.")

    def _is_signed(self, signature: str, texts: Iterable[str]) -> bool:
        return any(hmac.compare_digest(self._signed(text), signature) for text in texts)

    def _signed(self, text: str) -> str:
        digest = hmac.new(base64.b64decode(self.key), text.encode("utf-8"), hashlib.sha256)
        return base64.b64encode(digest.digest()).decode("ascii")


def _key_text(request: HttpRequest, account: str) -> str:
    """Return the text that a shared key signs."""
    headers = {**request.headers}
    if headers.get("content-length") == "0":
        headers["content-length"] = ""
    extra = "".join(
        f"{key}:{given}\n" for key, given in sorted(headers.items()) if key.startswith("x-ms-")
    )
    query = "".join(f"\n{k.lower()}:{v}" for k, v in sorted(request.query.items()))
    text = "\n".join([request.method, *(headers.get(name, "") for name in _SIGNED_HEADERS)])
    return f"{text}\n{extra}/{account}{request.raw_path}{query}"


def _sas_text(fields: Mapping[str, str], resource: str) -> str:
    first = [fields.get(name, "") for name in ("sp", "st", "se")]
    rest = [fields.get(name, "") for name in (*_SAS_AFTER_RESOURCE, *_SAS_HEADERS)]
    return "\n".join([*first, resource, *rest])


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _denied(message: str) -> StorageError:
    message = f"Server failed to authenticate the request. {message}"
    return StorageError(403, "AuthenticationFailed", message)
