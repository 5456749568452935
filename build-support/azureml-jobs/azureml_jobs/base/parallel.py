"""Calls in background threads, and many transfers at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from azureml_jobs.base.progress import Progress

Value = TypeVar("Value")

_POLL_SECONDS = 0.1


class BackgroundCall(Generic[Value]):
    """A call that was started in the background."""

    def __init__(self, call: Callable[[], Value]) -> None:
        self._values: list[Value] = []
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call: Callable[[], Value]) -> None:
        try:
            self._values.append(call())
        except BaseException as error:
            self._errors.append(error)

    def result(self) -> Value:
        """Wait for the call and return its value; raise what it raised."""
        while self._thread.is_alive():
            # In steps, so that Ctrl-C is seen.
            self._thread.join(_POLL_SECONDS)
        if self._errors:
            raise self._errors[0]
        return self._values[0]

    def result_within(self, seconds: float) -> Value | None:
        """Return the value, or None when the call takes longer; raise what it raised."""
        self._thread.join(seconds)
        return None if self._thread.is_alive() else self.result()


@dataclass(frozen=True)
class Task:
    """One transfer of `size` bytes."""

    size: int
    run: Callable[[], None]


def run_all(tasks: Sequence[Task], workers: int, progress: Progress) -> None:
    """Run every task, `workers` at a time, in daemon threads.

    After the first failure nothing new is started, and it is raised at once. Transfers under way
    are left behind: one that hangs keeps nobody waiting.
    """
    waiting = deque(tasks)
    failures: list[BaseException] = []
    finished = threading.Semaphore(0)

    def work() -> None:
        while not failures:
            try:
                task = waiting.popleft()
            except IndexError:
                return
            try:
                task.run()
            except BaseException as error:
                failures.append(error)
            else:
                progress.advance(task.size)
            finished.release()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(tasks)))]
    for thread in threads:
        thread.start()
    try:
        for _ in tasks:
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
