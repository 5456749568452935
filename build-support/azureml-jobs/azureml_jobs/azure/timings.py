"""How long the parts of a submission took, some of which run at the same time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from azureml_jobs.base.console import table


class Timings:
    """The parts, with the time when each began, so that one sees what overlaps."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._parts: list[tuple[str, float, float]] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._parts.append((name, begun - self._begun, time.monotonic() - begun))

    def lines(self) -> list[str]:
        rows = [
            (name, f"{at:.2f} s", f"{duration:.2f} s")
            for name, at, duration in sorted(self._parts, key=lambda part: part[1])
        ]
        rows.append(("in all", "", f"{time.monotonic() - self._begun:.2f} s"))
        return table(("part", "started", "duration"), rows, right=(1, 2))
