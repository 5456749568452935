"""Lets a few processes of a repository submit at a time: a hundred would all be too slow."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from azureml_jobs.base.files import take_lock

# Most of a submission is waiting for the service, all of its beginning is work of a processor.
AT_ONCE = 4 * (os.cpu_count() or 1)
_PAUSE = 0.1


@contextlib.contextmanager
def turn(folder: Path, at_once: int = AT_ONCE) -> Iterator[None]:
    """Wait for one of the places, which are locks in `folder`: a killed process has none."""
    folder.mkdir(parents=True, exist_ok=True)
    # Whoever has the gate is next. The system wakes those that wait for it in their order.
    with open(folder / "gate", "w") as gate:
        place = _free_place(folder, at_once) if take_lock(gate) else None
        if place is None:
            print(f"Waiting for a turn: {at_once} submissions are under way.", file=sys.stderr)
            fcntl.flock(gate, fcntl.LOCK_EX)
            while (place := _free_place(folder, at_once)) is None:
                time.sleep(_PAUSE)
    with place:
        yield


def _free_place(folder: Path, at_once: int) -> IO[str] | None:
    """Return the file of a place that was free, which is locked now; None when all are taken."""
    for number in range(at_once):
        place = open(folder / str(number), "w")
        if take_lock(place):
            return place
        place.close()
    return None
