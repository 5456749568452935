"""What a job used of this machine: processor time, memory, GPUs."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from azureml_jobs.base.console import duration_text, size_text

# Kilobytes on Linux, bytes on macOS: `man getrusage`.
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
_GPUS = "index,utilization.gpu,memory.used"


class Meter:
    """Measures what the children of this process use from now on until `used` is called."""

    def __init__(self) -> None:
        self._before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._gpus = _GpuWatch() if shutil.which("nvidia-smi") else None

    def used(self, has_processes: bool) -> dict[str, Any]:
        """Return what was used; without `has_processes`, as in containers, only that of GPUs."""
        gpus = {"gpus": self._gpus.end()} if self._gpus else {}
        if not has_processes:
            return gpus
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - self._before.ru_utime - self._before.ru_stime
        used: dict[str, Any] = {"cpu_seconds": round(seconds, 3), **gpus}
        # A child starts as a copy of this process, so that less cannot be told.
        if after.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
            used["largest_process_bytes"] = after.ru_maxrss * _MAXRSS_UNIT
        return used


class _GpuWatch:
    """Asks the driver each second, for all GPUs of the machine."""

    def __init__(self) -> None:
        self._samples: dict[int, list[tuple[int, int]]] = {}
        self._process = subprocess.Popen(
            ["nvidia-smi", f"--query-gpu={_GPUS}", "--format=csv,noheader,nounits", "--loop=1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # Ctrl-C is for the job.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            # A GPU may not know a value, and the driver may have an error to report.
            with contextlib.suppress(ValueError):
                index, busy, mebibytes = map(int, line.split(","))
                self._samples.setdefault(index, []).append((busy, mebibytes))

    def end(self) -> list[dict[str, Any]]:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        return [
            {
                "index": index,
                "busy_percent": round(fmean(busy for busy, _ in samples)),
                "memory_bytes": max(mebibytes for _, mebibytes in samples) * 2**20,
            }
            for index, samples in sorted(self._samples.items())
        ]


def usage_text(usage: Mapping[str, Any]) -> str:
    """Return what was used in one line; empty where nothing is known."""
    parts = []
    if "cpu_seconds" in usage:
        parts.append(f"{duration_text(usage['cpu_seconds'])} of processor time")
    if "largest_process_bytes" in usage:
        parts.append(f"{size_text(usage['largest_process_bytes'])} in the largest process")
    for gpu in usage.get("gpus", ()):
        memory = size_text(gpu["memory_bytes"])
        parts.append(f"GPU {gpu['index']} {gpu['busy_percent']} % busy with {memory}")
    return ", ".join(parts)
