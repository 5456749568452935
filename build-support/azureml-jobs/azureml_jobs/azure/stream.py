"""Follow the logs of a job in Azure: fetch only new bytes, of every log of every node."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, BinaryIO

from azureml_jobs.azure.parallel import Task, run_all
from azureml_jobs.azure.run_history import PRINTED, error_of, exit_status_in
from azureml_jobs.azure.workspace import ConnectedWorkspace, job_of
from azureml_jobs.base.job_status import CANCELED, COMPLETED, ENDED, NOT_STARTED
from azureml_jobs.base.progress import Progress

# A line is printed at most this long, and the time of two requests, after it was written.
_POLL_SECONDS = 2.0
_NODES_AT_ONCE = 8
_PART_BYTES = 8 << 20
_STATUSES = frozenset({200, 206, 404, 416})


def stream(workspace: ConnectedWorkspace, name: str, out: BinaryIO) -> int:
    """Write what the job prints to `out` until it ends; return its exit status.

    0 completed, 143 canceled, else the command's status where the service reports it, or 1.
    """
    try:
        details = _follow(workspace, name, _Logs(workspace, out))
    except KeyboardInterrupt:
        print(
            f"{name} is still running. Cancel it: ./pants run :aml -- jobs cancel {name}",
            file=sys.stderr,
        )
        raise
    return _report_end(name, details)


def _follow(workspace: ConnectedWorkspace, name: str, logs: _Logs) -> Mapping[str, Any]:
    """Read the logs until the job has ended; return the service's details of it then."""
    while True:
        begun = time.monotonic()
        details: Mapping[str, Any] | None = workspace.history("GET", f"runs/{name}/details")
        if details is None:
            # The run is made a little later than the job.
            job_of(workspace, name)
            details = {"status": NOT_STARTED}
        # Requested before the logs are read: an ended job's logs are complete.
        logs.read(details.get("logFiles") or {})
        if details["status"] in ENDED:
            logs.finish()
            return details
        time.sleep(max(0.0, _POLL_SECONDS - (time.monotonic() - begun)))


def _report_end(name: str, details: Mapping[str, Any]) -> int:
    status = str(details["status"])
    message = error_of(details)
    print(f"{name} {status}" + (f": {message}" if message else ""), file=sys.stderr)
    if status == COMPLETED:
        return 0
    if status == CANCELED:
        return 128 + signal.SIGTERM
    return exit_status_in(message) or 1


class _Logs:
    def __init__(self, workspace: ConnectedWorkspace, out: BinaryIO) -> None:
        self._workspace = workspace
        self._out = out
        self._positions: dict[str, int] = {}
        # Of several logs only complete lines are printed; the rest of each waits here.
        self._pending: dict[str, bytes] = {}
        self._printed_log = ""
        self._ends_line = True

    def read(self, addresses: Mapping[str, str]) -> None:
        names = sorted(name for name in addresses if PRINTED.fullmatch(name))
        new: dict[str, bytes] = {}
        tasks = [Task(0, partial(self._read_new, name, addresses[name], new)) for name in names]
        run_all(tasks, _NODES_AT_ONCE, Progress("Reading", len(tasks), 0))
        for name in names:
            self._positions[name] = self._positions.get(name, 0) + len(new[name])
            data = self._pending.pop(name, b"") + new[name]
            if len(names) > 1:
                whole = data.rfind(b"\n") + 1
                data, self._pending[name] = data[:whole], data[whole:]
            self._print(name, data, len(names) > 1)

    def finish(self) -> None:
        for name, data in self._pending.items():
            self._print(name, data, True)

    def _read_new(self, name: str, address: str, new: dict[str, bytes]) -> None:
        """Read what was appended to a log since the last time."""
        parts: list[bytes] = []
        position = self._positions.get(name, 0)
        while True:
            # In parts, so that the time limit of a response does not limit the length of a log.
            response = self._workspace.connection.request(
                *("GET", address),
                headers={"Range": f"bytes={position}-{position + _PART_BYTES - 1}"},
                accept=lambda status: status in _STATUSES,
            )
            if response.status == 200:
                # Some proxies answer with all of it.
                parts.append(response.body[position:])
                break
            # Otherwise there is nothing new, or the log was announced and is not there yet.
            part = response.body if response.status == 206 else b""
            parts.append(part)
            position += len(part)
            if len(part) < _PART_BYTES:
                break
        new[name] = b"".join(parts)

    def _print(self, name: str, data: bytes, is_one_of_several: bool) -> None:
        if not data:
            return
        if is_one_of_several and name != self._printed_log:
            # As `tail -f` separates them.
            self._out.write(b"" if self._ends_line else b"\n")
            self._out.write(f"==> {name} <==\n".encode())
        self._printed_log, self._ends_line = name, data.endswith(b"\n")
        self._out.write(data)
        self._out.flush()
