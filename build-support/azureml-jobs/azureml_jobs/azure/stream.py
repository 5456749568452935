"""Follow the logs of a job in Azure: only new bytes, of every log of every node."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from azureml_jobs.azure.parallel import Task, run_all
from azureml_jobs.azure.run_history import PRINTED, error_of, exit_status_in
from azureml_jobs.azure.workspace import Workspace, job_of
from azureml_jobs.base.job_status import CANCELED, COMPLETED, ENDED, NOT_STARTED
from azureml_jobs.base.progress import Progress

# A line is shown at most this long, and the time of two requests, after it was written.
_POLL_SECONDS = 2.0
_NODES_AT_ONCE = 8
_PART_BYTES = 8 << 20
_ANSWERS = frozenset({200, 206, 404, 416})


def stream(workspace: Workspace, name: str, out: BinaryIO) -> int:
    """Write what the job prints to `out` until it ends; its own status.

    0 completed, 143 canceled, else the command's status where the service tells it, or 1.
    """
    try:
        details = _follow(workspace, name, _Logs(workspace, out))
    except KeyboardInterrupt:
        print(f"{name} goes on. End it: ./pants run :aml -- jobs cancel {name}", file=sys.stderr)
        raise
    return _told(name, details)


def _follow(workspace: Workspace, name: str, logs: _Logs) -> Mapping[str, Any]:
    """Read the logs until the job has ended; what the service says of it then."""
    while True:
        begun = time.monotonic()
        details: Mapping[str, Any] | None = workspace.history("GET", f"runs/{name}/details")
        if details is None:
            # The run is made a moment after the job.
            job_of(workspace, name)
            details = {"status": NOT_STARTED}
        # Asked for before the logs are read: an ended job's logs are complete.
        logs.read(details.get("logFiles") or {})
        if details["status"] in ENDED:
            logs.finish()
            return details
        time.sleep(max(0.0, _POLL_SECONDS - (time.monotonic() - begun)))


def _told(name: str, details: Mapping[str, Any]) -> int:
    status = str(details["status"])
    message = error_of(details)
    print(f"{name} {status}" + (f": {message}" if message else ""), file=sys.stderr)
    if status == COMPLETED:
        return 0
    if status == CANCELED:
        return 128 + signal.SIGTERM
    return exit_status_in(message) or 1


class _Logs:
    def __init__(self, workspace: Workspace, out: BinaryIO) -> None:
        self._workspace = workspace
        self._out = out
        self._positions: dict[str, int] = {}
        # Of several logs only whole lines are shown; what is left of each waits here.
        self._pending: dict[str, bytes] = {}
        self._shown = ""
        self._ends_line = True

    def read(self, addresses: Mapping[str, str]) -> None:
        names = sorted(name for name in addresses if PRINTED.fullmatch(name))
        new: dict[str, bytes] = {}
        tasks = [Task(name, 0, self._reading(name, addresses[name], new)) for name in names]
        run_all(tasks, _NODES_AT_ONCE, Progress("Reading", len(tasks), 0))
        for name in names:
            self._positions[name] = self._positions.get(name, 0) + len(new[name])
            data = self._pending.pop(name, b"") + new[name]
            if len(names) > 1:
                whole = data.rfind(b"\n") + 1
                data, self._pending[name] = data[:whole], data[whole:]
            self._show(name, data, len(names) > 1)

    def finish(self) -> None:
        for name, data in self._pending.items():
            self._show(name, data, True)

    def _reading(self, name: str, address: str, new: dict[str, bytes]) -> Callable[[], None]:
        start = self._positions.get(name, 0)

        def read() -> None:
            parts: list[bytes] = []
            position = start
            while True:
                # In parts, so that the time for an answer does not limit the length of a log.
                last = position + _PART_BYTES - 1
                answer = self._workspace.connection.request(
                    *("GET", address),
                    headers={"Range": f"bytes={position}-{last}"},
                    accept=lambda status: status in _ANSWERS,
                )
                if answer.status == 200:
                    # Some proxies answer with the whole of it.
                    parts.append(answer.body[position:])
                    break
                # Otherwise nothing new, or announced and not there yet.
                part = answer.body if answer.status == 206 else b""
                parts.append(part)
                position += len(part)
                if len(part) < _PART_BYTES:
                    break
            new[name] = b"".join(parts)

        return read

    def _show(self, name: str, data: bytes, is_one_of_several: bool) -> None:
        if not data:
            return
        if is_one_of_several and name != self._shown:
            # As `tail -f` tells them apart.
            self._out.write(b"" if self._ends_line else b"\n")
            self._out.write(f"==> {name} <==\n".encode())
        self._shown, self._ends_line = name, data.endswith(b"\n")
        self._out.write(data)
        self._out.flush()
