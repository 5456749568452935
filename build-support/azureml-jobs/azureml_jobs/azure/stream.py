"""Follow a job in Azure and its children: fetch only new bytes, of every log of every node."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from azureml_jobs.azure.answers import of_storage
from azureml_jobs.azure.connection import Connection
from azureml_jobs.azure.rows import children_of
from azureml_jobs.azure.run_history import PRINTED, error_of, exit_status_in
from azureml_jobs.azure.workspace import ConnectedWorkspace, job_of
from azureml_jobs.base.job_status import CANCELED, COMPLETED, ENDED, NOT_STARTED
from azureml_jobs.base.jobs import labelled
from azureml_jobs.base.parallel import read_all
from azureml_jobs.base.progress import StatusLine

# A line is printed at most this long, and the time of two requests, after it was written.
_POLL_SECONDS = 2.0
# In parts, so that the time limit of a response does not limit the length of a log.
_PART_BYTES = 8 << 20
# So many bytes are read twice: no header says whether a log that is longer now is still the same.
_TAIL_BYTES = 64


def stream(workspace: ConnectedWorkspace, name: str, out: BinaryIO) -> int:
    """Write what the job and its children print to `out` until it ends; return its exit status.

    Lines of a child begin with its label. 0 completed, 143 canceled, else the command's status
    where the service reports it, or 1.
    """
    try:
        details = _Follower(workspace, out).follow(name)
    except KeyboardInterrupt:
        print(
            f"{name} is still running. Cancel it: ./pants run :aml -- jobs cancel {name}",
            file=sys.stderr,
        )
        raise
    print(f"{name} {_ending(details)}", file=sys.stderr)
    if details["status"] == COMPLETED:
        return 0
    if details["status"] == CANCELED:
        return 128 + signal.SIGTERM
    return exit_status_in(error_of(details)) or 1


def copy_log(workspace: ConnectedWorkspace, name: str, out: BinaryIO) -> None:
    """Write what the job and its children have printed, and do not wait for more."""
    _Follower(workspace, out).copy(name)


def _ending(details: Mapping[str, Any]) -> str:
    message = error_of(details)
    return f"{details['status']}: {message}" if message else str(details["status"])


class _Follower:
    def __init__(self, workspace: ConnectedWorkspace, out: BinaryIO) -> None:
        self._workspace = workspace
        self._out = out
        self._logs: dict[str, Logs] = {}
        self._status = StatusLine()
        self._ended: set[str] = set()

    def follow(self, name: str) -> Mapping[str, Any]:
        """Read the logs until the job has ended; return the service's details of it then."""
        job = job_of(self._workspace, name)
        while True:
            begun = time.monotonic()
            # Requested before the logs are read: an ended job's logs are complete.
            details = self._details(name)
            if details["status"] not in ENDED:
                self._status.show(str(details["status"]))
            self._read_children(job)
            self._read(name, "", details)
            if details["status"] in ENDED:
                self._status.leave()
                return details
            time.sleep(max(0.0, _POLL_SECONDS - (time.monotonic() - begun)))

    def copy(self, name: str) -> None:
        self._read_children(job_of(self._workspace, name))
        self._read(name, "", self._details(name))
        for logs in self._logs.values():
            logs.finish()

    def _details(self, name: str) -> Mapping[str, Any]:
        # The run is made a little later than the job.
        path = f"runs/{name}/details"
        return self._workspace.history("GET", path) or {"status": NOT_STARTED}

    def _read_children(self, job: Mapping[str, Any]) -> None:
        for label, child in labelled(children_of(self._workspace, job)):
            name, status = child["name"], child["status"]
            if name in self._ended or status == NOT_STARTED:
                continue
            if child["reused"]:
                self._end(name, label, f"{status}, reused from {child['reused']}")
            else:
                self._read(name, label, self._details(name))

    def _read(self, name: str, label: str, details: Mapping[str, Any]) -> None:
        if name not in self._logs:
            prefix = f"[{label}] ".encode() if label else b""
            self._logs[name] = Logs(self._workspace, self._out, prefix, self._status.leave)
        self._logs[name].read(details.get("logFiles") or {})
        if details["status"] in ENDED:
            self._logs[name].finish()
            if label:
                self._end(name, label, _ending(details))

    def _end(self, name: str, label: str, ending: str) -> None:
        self._ended.add(name)
        self._status.leave()
        print(f"[{label}] {ending}", file=sys.stderr)


@dataclass
class Logs:
    """The logs of one job. Lines get the `prefix`, if there is one.

    `before_output` is called before anything is printed.
    """

    _workspace: ConnectedWorkspace
    _out: BinaryIO
    _prefix: bytes = b""
    _before_output: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._logs: dict[str, _GrowingLog] = {}
        # Of several logs only complete lines are printed; the rest of each waits here.
        self._pending: dict[str, bytes] = {}
        self._printed_log = ""
        self._ends_line = True

    def read(self, addresses: Mapping[str, str]) -> None:
        names = sorted(name for name in addresses if PRINTED.fullmatch(name))
        for name in names:
            self._logs.setdefault(name, _GrowingLog(self._workspace.connection))
        found = read_all(names, lambda name: self._logs[name].read(addresses[name]))
        for name, (new, begins_again) in found.items():
            if begins_again:
                self._print_line(f"==> {name} begins again <==")
                self._pending.pop(name, None)
            data = self._pending.pop(name, b"") + new
            if len(names) > 1 or self._prefix:
                whole = data.rfind(b"\n") + 1
                data, self._pending[name] = data[:whole], data[whole:]
            self._print(name, data, len(names) > 1)

    def finish(self) -> None:
        for name in list(self._pending):
            data = self._pending.pop(name)
            end = b"\n" if self._prefix and data else b""
            self._print(name, data + end, len(self._logs) > 1)

    def _print(self, name: str, data: bytes, is_one_of_several: bool) -> None:
        if not data:
            return
        if is_one_of_several and name != self._printed_log:
            # As `tail -f` separates them.
            self._print_line(f"==> {name} <==")
        self._before_output()
        self._printed_log, self._ends_line = name, data.endswith(b"\n")
        for line in data.splitlines(keepends=True) if self._prefix else [data]:
            self._out.write(self._prefix + line)
        self._out.flush()

    def _print_line(self, text: str) -> None:
        self._before_output()
        self._out.write(b"" if self._ends_line else b"\n")
        self._out.write(self._prefix + f"{text}\n".encode())
        self._ends_line = True


class _GrowingLog:
    """Reads what was appended to a log in storage, and notices when it has begun again."""

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
