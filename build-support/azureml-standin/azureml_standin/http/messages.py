"""Requests and responses as the parts of the service see them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

XML = "application/xml"
SECRET_QUERY = frozenset({"sig", "code"})


class RequestBody:
    """The bytes of a request: `content`, followed by those of `files`."""

    def __init__(self, content: bytes = b"", files: Sequence[Path] = ()) -> None:
        self._content = content
        self._files = files

    @property
    def size(self) -> int:
        return len(self._content) + sum(file.stat().st_size for file in self._files)

    def read(self) -> bytes:
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        yield self._content
        for file in self._files:
            with open(file, "rb") as source:
                while chunk := source.read(1 << 20):
                    yield chunk

    def discard(self) -> None:
        for file in self._files:
            file.unlink(missing_ok=True)


@dataclass
class HttpRequest:
    """`headers` are by lower-case name, `query` holds decoded values."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: RequestBody = field(default_factory=RequestBody)
    is_secure: bool = True

    def __post_init__(self) -> None:
        parts = urlsplit(self.target)
        self.raw_path = parts.path
        self.path = unquote(parts.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))

    @property
    def host(self) -> str:
        """Host and, if one was given, port."""
        return self.headers.get("host", "")

    @property
    def public_target(self) -> str:
        """Path and query, decoded and without secrets."""
        query = "&".join(f"{k}={v}" for k, v in self.query.items() if k not in SECRET_QUERY)
        return f"{self.path}?{query}" if query else self.path

    @property
    def base(self) -> str:
        """The address by which the client reached us, such as `https://127.0.0.1:4443`."""
        return f"{'https' if self.is_secure else 'http'}://{self.host}"

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raises `HttpError` 400 for anything else."""
        try:
            content = json.loads(self.body.read())
        except ValueError as error:
            raise HttpError(
                400, "InvalidRequestContent", f"The body is not JSON: {error}."
            ) from error
        if not isinstance(content, dict):
            raise HttpError(400, "InvalidRequestContent", "The body is not a JSON object.")
        return content


@dataclass
class HttpResponse:
    """`body` is bytes, or an open file of which `length` bytes are sent."""

    status: int = 200
    body: bytes | BinaryIO = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None

    @property
    def size(self) -> int:
        if self.length is not None:
            return self.length
        return len(self.body) if isinstance(self.body, bytes) else 0


def json_response(content: Any, status: int = 200, **headers: str) -> HttpResponse:
    """Respond with JSON; `headers` have `_` in place of `-`."""
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return HttpResponse(status, body, {"Content-Type": "application/json; charset=utf-8", **named})


class HttpError(Exception):
    """An error in the format of Azure Resource Manager.

    https://learn.microsoft.com/azure/azure-resource-manager/management/ (`error.code`,
    `error.message`).
    """

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def response(self) -> HttpResponse:
        content = {"error": {"code": self.code, "message": self.message}}
        return json_response(content, self.status, **{"x_ms_error_code": self.code, **self.headers})


def file_response(path: Path, start: int, length: int, **headers: str) -> HttpResponse:
    """Respond with part of a file, without reading it into memory."""
    file = open(path, "rb")
    file.seek(start, os.SEEK_SET)
    return HttpResponse(200, file, dict(headers), length)


class StorageError(HttpError):
    """An error in the format of Azure Storage.

    https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
    """

    def response(self) -> HttpResponse:
        text = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
        )
        headers = {key.replace("_", "-"): value for key, value in self.headers.items()}
        return HttpResponse(
            self.status,
            text.encode(),
            {"Content-Type": XML, "x-ms-error-code": self.code, **headers},
        )


class SignInError(HttpError):
    """An error in the format of Microsoft Entra ID.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    (`error`, `error_description` that begins with `AADSTS<number>`, `error_codes`).
    """

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(status, error, message)
        self.number = number

    def response(self) -> HttpResponse:
        return json_response(
            {
                "error": self.code,
                "error_description": f"AADSTS{self.number}: {self.message}",
                "error_codes": [self.number],
                "correlation_id": "00000000-0000-0000-0000-000000000000",
            },
            self.status,
        )


class RegistryError(HttpError):
    """An error in the format of the distribution specification.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
    """

    def response(self) -> HttpResponse:
        content = {"errors": [{"code": self.code, "message": self.message, "detail": None}]}
        return json_response(content, self.status, **self.headers)
