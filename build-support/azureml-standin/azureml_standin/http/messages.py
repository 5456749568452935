"""Requests and responses as the parts of the service see them."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

XML = "application/xml"
_SECRET_QUERY = frozenset({"sig", "code"})


@dataclass
class HttpRequest:
    """`headers` are by lower-case name, `query` holds decoded values, `public_target` no secrets.

    `host` has the port, if one was given. `base` is the address by which the client reached us,
    such as `https://127.0.0.1:4443`.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: IO[bytes] = field(default_factory=io.BytesIO)
    is_secure: bool = True

    def __post_init__(self) -> None:
        parts = urlsplit(self.target)
        self.raw_path = parts.path
        self.path = unquote(parts.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        public = {key: value for key, value in self.query.items() if key not in _SECRET_QUERY}
        query = "&".join(f"{key}={value}" for key, value in public.items())
        self.public_target = f"{self.path}?{query}" if query else self.path
        self.host = self.headers.get("host", "")
        self.base = f"{'https' if self.is_secure else 'http'}://{self.host}"

    def chunks(self) -> Iterator[bytes]:
        self.body.seek(0)
        while chunk := self.body.read(1 << 20):
            yield chunk

    def read(self) -> bytes:
        return b"".join(self.chunks())

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.read().decode("utf-8", "replace")))

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raises `HttpError` 400 for anything else."""
        with contextlib.suppress(ValueError):
            content = json.loads(self.read())
            if isinstance(content, dict):
                return content
        raise HttpError(400, "InvalidRequestContent", "The body is not a JSON object.")


@dataclass
class HttpResponse:
    """`body` is bytes, or an open file of which `length` bytes are sent."""

    status: int = 200
    body: bytes | IO[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.body, bytes) and self.body:
            self.length = len(self.body)


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] = {}) -> HttpResponse:
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return HttpResponse(status, body, {**kind, **headers})


def file_response(path: Path, start: int, length: int, headers: Mapping[str, str]) -> HttpResponse:
    """Respond with part of a file, without reading it into memory."""
    file = open(path, "rb")
    file.seek(start)
    return HttpResponse(200, file, dict(headers), length)


@dataclass(eq=False)
class HttpError(Exception):
    """An error in the format of Azure Resource Manager: `error.code`, `error.message`."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        return {"error": {"code": self.code, "message": self.message}}

    def response(self) -> HttpResponse:
        return json_response(self.content(), self.status, self.headers)


class StorageError(HttpError):
    """An error in the format of Azure Storage.

    https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
    """

    def response(self) -> HttpResponse:
        text = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
        )
        headers = {"Content-Type": XML, "x-ms-error-code": self.code, **self.headers}
        return HttpResponse(self.status, text.encode(), headers)


class SignInError(HttpError):
    """An error in the format of Microsoft Entra ID; `code` is its `error`.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """

    def __init__(self, status: int, code: str, number: int, message: str) -> None:
        super().__init__(status, code, message)
        self.number = number

    def content(self) -> dict[str, Any]:
        return {
            "error": self.code,
            "error_description": f"AADSTS{self.number}: {self.message}",
            "error_codes": [self.number],
            "correlation_id": "00000000-0000-0000-0000-000000000000",
        }


class RegistryError(HttpError):
    """An error in the format of the distribution specification.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    """

    def content(self) -> dict[str, Any]:
        return {"errors": [{"code": self.code, "message": self.message, "detail": None}]}
