"""Read what was appended to a log in storage, and notice when it has begun again."""

from __future__ import annotations

from azureml_jobs.azure.answers import of_storage
from azureml_jobs.azure.connection import Connection

# In parts, so that the time limit of a response does not limit the length of a log.
_PART_BYTES = 8 << 20
# So many bytes are read twice: no header says whether a log that is longer now is still the same.
_TAIL_BYTES = 64


class GrowingLog:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._position = 0
        self._tail = b""

    def read(self, address: str) -> tuple[bytes, bool]:
        """Return what is new, and whether the log has begun again, as on a node that was replaced.

        Then all of it is new.
        """
        new, known, begins_again = b"", self._tail, False
        while True:
            found, is_whole = self._fetch(address, self._position - len(known))
            if found is None:
                break
            if not found.startswith(known):
                self._position, self._tail = 0, b""
                known, begins_again = b"", True
                continue
            part, known = found[len(known) :], b""
            new += part
            self._position += len(part)
            if is_whole:
                break
        self._tail = (self._tail + new)[-_TAIL_BYTES:]
        return new, begins_again

    def _fetch(self, address: str, start: int) -> tuple[bytes | None, bool]:
        """Return a part, and whether nothing follows it; None for a log that is not there yet."""
        response = self._connection.request(
            *("GET", address),
            headers={"Range": f"bytes={start}-{start + _PART_BYTES - 1}"},
            accept=(200, 206, 404, 416),
            check=of_storage,
        )
        if response.status == 404:
            return None, True
        if response.status == 200:
            # Some proxies answer with all of it.
            return response.body[start:], True
        part = response.body if response.status == 206 else b""
        return part, len(part) < _PART_BYTES
