"""Processes by identity: whether one still runs, and which ones belong to a job."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

# Carried by every process of a local job, so that those which left the job's process group (as the
# workers of torchrun do) are found as well.
JOB_MARKER = "AZUREML_JOBS_LOCAL_FOLDER"

_KILL_SECONDS = 5.0


def identity_of(pid: int) -> str | None:
    """Return what distinguishes this process from later ones with its id; None when it has ended.

    A process that has ended and waits for its parent to notice counts as ended.
    """
    # Imported late: it takes longer than most of what a command does before.
    import psutil

    try:
        process = psutil.Process(pid)
        if not _runs(process):
            return None
    except psutil.NoSuchProcess:
        return None
    # A hash of the id and the time from boot to start. `create_time()` counts from 1970 instead and
    # moves whenever the clock is set, so that a job would look as if its runner had been killed.
    return f"{_boot_id()}:{hash(process)}"


def is_running(pid: int | None, identity: str | None) -> bool:
    """Return whether the process that had this id and identity still runs."""
    return pid is not None and identity is not None and identity_of(pid) == identity


def current_host() -> str:
    """Return the machine, or the container on it, within which process ids mean something."""
    name = os.uname().nodename
    with contextlib.suppress(OSError):
        return f"{name} {os.readlink('/proc/self/ns/pid')}"
    return name


def job_processes(folder: str, *pgids: int | None) -> list[psutil.Process]:
    """Return the processes of the job in `folder`, without this one.

    They are known by the marker in their environment, and by `pgids`, their process groups and
    sessions; the caller vouches that these numbers are still the job's, or passes None.
    """
    import psutil

    # 0 is the kernel on macOS, and stands for this very process in calls of the system.
    own = os.getpid()
    return [
        process
        for process in psutil.process_iter()
        if process.pid not in (0, own) and _belongs(process, folder, pgids)
    ]


def signal_group(pgid: int, signum: int) -> None:
    """Pass a signal on to a process group; one that has ended meanwhile is no error."""
    with contextlib.suppress(OSError):
        os.killpg(pgid, signum)


def kill_job(folder: str, *pgids: int | None) -> None:
    """Kill all processes of a job, including those that they start meanwhile."""
    deadline = time.monotonic() + _KILL_SECONDS
    while found := job_processes(folder, *pgids):
        for process in found:
            # It may have ended meanwhile, or belong to somebody else.
            with contextlib.suppress(OSError):
                os.kill(process.pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return
        time.sleep(0.01)


def end_job(folder: str, pgid: int) -> None:
    """Let the processes of a job clean up for ten seconds, and kill those that are left."""
    import psutil

    found = job_processes(folder, pgid)
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    psutil.wait_procs(found, timeout=10)
    kill_job(folder, pgid)


def _belongs(process: psutil.Process, folder: str, pgids: tuple[int | None, ...]) -> bool:
    import psutil

    try:
        if not _runs(process):
            return False
        if {os.getpgid(process.pid), os.getsid(process.pid)} & set(pgids):
            return True
        return process.environ().get(JOB_MARKER) == folder
    except (OSError, psutil.Error):
        # It ended meanwhile, or belongs to somebody else.
        return False


def _runs(process: psutil.Process) -> bool:
    return process.status() not in ("zombie", "dead")


def _boot_id() -> str:
    """Return the present boot of Linux, from which times of start count; macOS has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
