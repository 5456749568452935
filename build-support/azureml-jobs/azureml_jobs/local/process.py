"""Processes by identity: whether one still lives, and which ones belong to a job."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

# Carried by every process of a local job, so that those which left the job's process group (as the
# workers of torchrun do) are found as well.
JOB_MARKER = "AZUREML_JOBS_LOCAL_FOLDER"

_KILL_SECONDS = 5.0


def start_of(pid: int) -> str | None:
    """What tells this process from a later one with the same id; None when it has ended.

    A process that has ended and waits for its parent to notice counts as ended.
    """
    if _has_proc():
        stat = _stat(pid)
        if stat is None or stat[0] in ("Z", "X"):
            return None
        return f"{_boot()}:{stat[19]}"
    # macOS has no /proc. The time zone and language are fixed so that the text stays the same.
    shown = subprocess.run(
        ["ps", "-o", "state=", "-o", "lstart=", "-p", str(pid)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
        check=False,
    ).stdout.decode("ascii", "replace")
    state, _, started = shown.strip().partition(" ")
    return None if not started or state.startswith("Z") else " ".join(started.split())


def is_same(pid: int | None, start: str | None) -> bool:
    """Whether the process that had this id and start is still there."""
    return pid is not None and start is not None and start_of(pid) == start


def place() -> str:
    """The machine, or the container on it, within which process ids mean something."""
    name = os.uname().nodename
    with contextlib.suppress(OSError):
        return f"{name} {os.readlink('/proc/self/ns/pid')}"
    return name


def members(folder: str, pgid: int | None) -> list[int]:
    """Processes of the job in `folder`, without this one.

    They are known by the marker in their environment, and by `pgid`, their process group and
    session; the caller vouches that this number is still the job's, or passes None. Where the
    system does not show a process's environment (macOS) only the group is known, and the list
    holds its number negated, as `os.kill` takes it.
    """
    if _has_proc():
        marker = os.fsencode(f"{JOB_MARKER}={folder}")
        return [pid for pid in _pids() if _belongs(pid, marker, str(pgid))]
    if pgid is None or pgid == os.getpgrp():
        return []
    try:
        os.killpg(pgid, 0)
    except OSError:
        return []
    return [-pgid]


def signal_group(pgid: int, signum: int) -> None:
    """Pass a signal on to a process group; one that has ended meanwhile is no error."""
    with contextlib.suppress(OSError):
        os.killpg(pgid, signum)


def kill_members(folder: str, pgid: int | None) -> None:
    """End all processes of a job at once, also those that they start meanwhile."""
    deadline = time.monotonic() + _KILL_SECONDS
    while True:
        found = members(folder, pgid)
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not found or time.monotonic() > deadline:
            return
        time.sleep(0.01)


def _has_proc() -> bool:
    return sys.platform.startswith("linux")


def _pids() -> Iterator[int]:
    own = os.getpid()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != own:
            yield int(name)


def _belongs(pid: int, marker: bytes, pgid: str) -> bool:
    stat = _stat(pid)
    if stat is None or stat[0] in ("Z", "X"):
        return False
    if pgid in (stat[2], stat[3]):
        return True
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return marker in file.read().split(b"\0")
    except OSError:
        # It ended meanwhile, or belongs to somebody else.
        return False


def _stat(pid: int) -> tuple[str, ...] | None:
    """Fields of /proc/<pid>/stat from the third on (proc(5)): state, parent, group, session, …"""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            content = file.read()
    except OSError:
        return None
    # The second field is the program's name in brackets, which may hold blanks and brackets.
    return tuple(content.rpartition(")")[2].split())


def _boot() -> str:
    """Start times count from the boot, so the boot belongs to a process's identity."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
