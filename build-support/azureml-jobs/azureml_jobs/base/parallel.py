"""Calls in background threads, and many transfers at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
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
    waiting = deque(calls)
    count = len(waiting)
    failures: list[BaseException] = []
    finished = threading.Semaphore(0)

    def work() -> None:
        while not failures:
            try:
                call = waiting.popleft()
            except IndexError:
                return
            try:
                call()
            except BaseException as error:
                failures.append(error)
            else:
                progress.advance(0)
            finished.release()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, count))]
    for thread in threads:
        thread.start()
    try:
        for _ in range(count):
            # In steps, so that Ctrl-C is seen.
            while not finished.acquire(timeout=_POLL_SECONDS):
                progress.show(time.monotonic())
            if failures:
                raise failures[0]
            progress.show(time.monotonic())
    except BaseException as error:
        failures.append(error)
        raise
    finally:
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
