"""Calls in background threads, and many transfers at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from functools import partial
from typing import TypeVar, cast

from azureml_jobs.base.progress import Progress

Key = TypeVar("Key")
Value = TypeVar("Value")

_POLL_SECONDS = 0.1
_WORKERS = 8


class BackgroundCall(Future[Value]):
    """A call that was started in the background; `result` waits for it."""

    def __init__(self, call: Callable[[], Value]) -> None:
        super().__init__()
        threading.Thread(target=self._run, args=(call,), daemon=True).start()

    def _run(self, call: Callable[[], Value]) -> None:
        try:
            self.set_result(call())
        except BaseException as error:
            self.set_exception(error)

    def result_within(self, seconds: float) -> Value | None:
        """Return the value, or None when the call takes longer; raise what it raised."""
        return self.result() if wait([self], seconds).done else None


def run_all(
    calls: Iterable[Callable[[], object]], progress: Progress, workers: int = _WORKERS
) -> None:
    """Make every call, `workers` at a time, in daemon threads.

    After the first failure nothing new is started, and it is raised at once. Transfers under way
    are left behind: one that hangs keeps nobody waiting.
    """
    waiting = list(calls)
    # The threads share it, so that each call is made once; a list that was cleared ends it.
    taken = iter(waiting)

    def work() -> None:
        try:
            for call in taken:
                call()
                progress.advance(0)
        finally:
            waiting.clear()

    running: set[Future[None]] = {BackgroundCall(work) for _ in range(min(workers, len(waiting)))}
    try:
        while running:
            # In steps, to show the progress.
            done, running = wait(running, _POLL_SECONDS, FIRST_EXCEPTION)
            progress.show(time.monotonic())
            for worker in done:
                worker.result()
    finally:
        waiting.clear()
        progress.end()


def read_all(
    keys: Iterable[Key], read: Callable[[Key], Value], verb: str = "Reading"
) -> dict[Key, Value]:
    """Return what `read` returns for each key, several at once; raise the first failure."""
    found: dict[Key, Value | None] = dict.fromkeys(keys)

    def keep(key: Key) -> None:
        found[key] = read(key)

    run_all([partial(keep, key) for key in found], Progress(verb, len(found), 0))
    return cast(dict[Key, Value], found)
