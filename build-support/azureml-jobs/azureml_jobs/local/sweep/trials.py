"""Run the trials of a sweep, several at once, until it has enough, no time, or nothing to try."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from azureml_jobs.base.job_status import CANCELED, COMPLETED, ENDED, FAILED, RUNNING
from azureml_jobs.jobfile.sweep.read import Sweep
from azureml_jobs.jobfile.sweep.space import Value
from azureml_jobs.local.sweep.policies import reason_to_end, scores
from azureml_jobs.local.sweep.search import Search

_POLL_SECONDS = 0.5
# When so many trials failed and none succeeded, the command is wrong rather than the values.
_HOPELESS = 3


class RunningTrial(Protocol):
    """A job that was started for a trial."""

    def status(self) -> str: ...

    def metric_history(self, metric: str) -> Sequence[float]:
        """Return all values of the metric so far, in the order in which they were logged."""

    def cancel(self) -> None:
        """Ask the trial to end, without waiting; once more means at once."""


Job = TypeVar("Job", bound=RunningTrial)


@dataclass
class Trial(Generic[Job]):
    """One trial; `best` is the best value of the metric, None as long as it has none."""

    number: int
    values: Mapping[str, Value]
    job: Job
    started: float = field(default_factory=time.monotonic)
    status: str = RUNNING
    best: float | None = None
    # When it completed.
    is_best_so_far: bool = False
    # Why the sweep ended it.
    reason: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class SweepResult(Generic[Job]):
    """`best` is the best trial that completed; `timed_out` that the sweep's own limit came."""

    trials: tuple[Trial[Job], ...]
    best: Trial[Job] | None
    timed_out: bool


@dataclass
class SweepLoop(Generic[Job]):
    """Starts trials and ends poor ones, until all have ended.

    `start` starts the trial of a number with its values. `wait` waits for at most some seconds and
    returns whether the sweep was asked to end. `report` is called when a trial starts and ends.
    """

    sweep: Sweep
    start: Callable[[int, Mapping[str, Value]], Job]
    wait: Callable[[float], bool]
    report: Callable[[Trial[Job]], None]
    at_once: int

    def __post_init__(self) -> None:
        self._search = Search(self.sweep)
        self._trials: list[Trial[Job]] = []
        self._open: list[Trial[Job]] = []
        # By the number of the trial: the scores of what it logged, and how many a policy has seen.
        self._histories: dict[int, list[float]] = {}
        self._seen: dict[int, int] = {}
        self._starts_more = True
        self._best: Trial[Job] | None = None
        self._best_rank = (-math.inf, 0)

    def run(self) -> SweepResult[Job]:
        started, timed_out = time.monotonic(), False
        limit = self.sweep.timeout or math.inf
        while True:
            self._look()
            self._end_poor_ones()
            self._start_more()
            if not self._open:
                break
            if self.wait(_POLL_SECONDS):
                self._end_all("the sweep was canceled")
            elif not timed_out and time.monotonic() - started >= limit:
                timed_out = True
                self._end_all(f"the sweep timed out after {limit:g} s (`limits.timeout`)")
        return SweepResult(tuple(self._trials), self._best, timed_out)

    def _look(self) -> None:
        """Read what the open trials logged, and take away those that ended."""
        for trial in list(self._open):
            # The status comes first: what a trial logged before its end must not be missed.
            trial.status = trial.job.status()
            values = trial.job.metric_history(self.sweep.metric)
            history = self._histories[trial.number] = scores(self.sweep, values)
            score = max(history, default=-math.inf)
            if math.isfinite(score):
                trial.best = score if self.sweep.maximize else -score
            if trial.status in ENDED:
                self._close(trial, score)

    def _close(self, trial: Trial[Job], score: float) -> None:
        trial.seconds = time.monotonic() - trial.started
        self._open.remove(trial)
        self._search.tell(trial.number, None if trial.best is None else score)
        if trial.status == COMPLETED and trial.best is not None:
            # Of equal ones the first, in whatever order they end.
            rank = (score, -trial.number)
            if rank > self._best_rank:
                trial.is_best_so_far = score > self._best_rank[0]
                self._best, self._best_rank = trial, rank
        self.report(trial)

    def _end_poor_ones(self) -> None:
        for trial in self._open:
            if trial.reason is None:
                seen, number = self._seen.get(trial.number, 0), trial.number
                ended = self._histories.keys() - {each.number for each in self._open}
                reason = reason_to_end(self.sweep, number, self._histories, ended, seen)
                self._seen[number] = len(self._histories[number])
                if reason:
                    self._end(trial, reason)

    def _start_more(self) -> None:
        while (
            self._starts_more
            and not self._is_hopeless()
            and len(self._open) < min(self.at_once, self.sweep.max_concurrent_trials)
            and len(self._trials) < self.sweep.max_total_trials
        ):
            values = self._search.ask()
            if values is None:
                # All values of the search space had their trial.
                self._starts_more = False
                return
            number = len(self._trials)
            trial = Trial(number, values, self.start(number, values))
            self._trials.append(trial)
            self._open.append(trial)
            self._histories[number] = []
            self.report(trial)

    def _end_all(self, reason: str) -> None:
        self._starts_more = False
        for trial in self._open:
            # Again for one that is ending: the second Ctrl-C means at once.
            self._end(trial, trial.reason or reason)

    def _end(self, trial: Trial[Job], reason: str) -> None:
        trial.reason = reason
        trial.job.cancel()

    def _is_hopeless(self) -> bool:
        failed = [trial for trial in self._trials if trial.status == FAILED]
        return len(failed) >= _HOPELESS and all(
            trial.status not in (COMPLETED, CANCELED) for trial in self._trials
        )
