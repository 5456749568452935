"""Read the body of a request from its connection."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from pathlib import Path

from azureml_standin.http.messages import RequestBody

CHUNK_BYTES = 256 * 1024
_IN_MEMORY_BYTES = 1 << 20


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the length of a body; None for a chunked one, whose length shows at its end."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return None
    return int(headers.get("content-length") or 0)


def read_body(stream: BufferedIOBase, headers: Mapping[str, str], spool: Path) -> RequestBody:
    """Read a body; a large one goes to a file in the folder `spool`."""
    length = content_length(headers)
    if length is not None and length <= _IN_MEMORY_BYTES:
        return RequestBody(b"".join(body_chunks(stream, headers)))
    descriptor, name = tempfile.mkstemp(prefix="body-", dir=spool)
    body = RequestBody(files=[Path(name)])
    try:
        with open(descriptor, "wb") as file:
            for chunk in body_chunks(stream, headers):
                file.write(chunk)
    except BaseException:
        body.discard()
        raise
    return body


def body_chunks(
    stream: BufferedIOBase, headers: Mapping[str, str], part: float = 1.0
) -> Iterator[bytes]:
    """Yield a body as it arrives; only its first `part` if the length is known."""
    length = content_length(headers)
    if length is not None:
        yield from _exactly(stream, int(length * part))
        return
    while True:
        size = int(stream.readline().split(b";")[0], 16)
        yield from _exactly(stream, size)
        stream.readline()
        if size == 0:
            return


def _exactly(stream: BufferedIOBase, length: int) -> Iterator[bytes]:
    while length > 0:
        chunk = stream.read(min(length, CHUNK_BYTES))
        if not chunk:
            raise ConnectionResetError
        length -= len(chunk)
        yield chunk
