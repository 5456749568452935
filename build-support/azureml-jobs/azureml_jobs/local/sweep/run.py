"""Run a sweep: each trial as a job of its own, a line for each change, and a table at the end."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from azureml_jobs.base.console import duration_text, trial_table, value_texts
from azureml_jobs.base.job_status import CANCELED, COMPLETED, ENDED, FAILED, RUNNING
from azureml_jobs.base.typed_json import read_data
from azureml_jobs.jobfile.sweep.read import read_sweep
from azureml_jobs.jobfile.sweep.space import Value
from azureml_jobs.local.child import Child
from azureml_jobs.local.create_command import CommandSpec, create_trial
from azureml_jobs.local.job_run import ParentRun, print_log_end
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.output import Log, write_message
from azureml_jobs.local.run_plan import RunPlan
from azureml_jobs.local.supervise import Ended
from azureml_jobs.local.sweep.policies import reason_to_end, scores
from azureml_jobs.local.sweep.search import Search
from azureml_jobs.local.workspace import LocalWorkspace

_POLL_SECONDS = 0.5
# When so many trials failed and none succeeded, the command is wrong rather than the values.
_HOPELESS = 3


@dataclass
class Trial:
    """One trial in a process of its own; `reason` says why the sweep ended it.

    `history` are the `scores` of what it logged, of which a policy has seen the first `seen`.
    """

    number: int
    values: Mapping[str, Value]
    child: Child
    started: float = field(default_factory=time.monotonic)
    status: str = RUNNING
    history: list[float] = field(default_factory=list)
    seen: int = 0
    reason: str = ""
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return self.child.folder.name

    @property
    def score(self) -> float | None:
        """The best score, None as long as it has none."""
        best = max(self.history, default=math.inf)
        return best if math.isfinite(best) else None

    def end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.child.cancel()


class SweepRun(ParentRun):
    """The run of a sweep. Its log has what it prints."""

    def run_job(self, log: Log, experiment_id: str) -> Ended:
        record = self.record
        plan = read_data(RunPlan, self.folder.top(record).run_plan)
        self._spec = spec = read_data(CommandSpec, self.folder.sweep)
        sweep = read_sweep(spec.job, spec.where)
        self._sweep = replace(sweep, seed=plan.seed if sweep.seed is None else sweep.seed)
        self._at_once = min(plan.jobs_at_once, sweep.max_concurrent_trials)
        self._log, self._store = log, MlflowStore(self.folder.mlruns)
        self._search = Search(self._sweep)
        self._trials: list[Trial] = []
        self._best: Trial | None = None
        self._starts_more = True
        self.begin_running()
        timed_out = self._run_trials()
        self._say_table(spec.job["objective"])
        return self._ended(timed_out)

    def running(self) -> Iterator[Child]:
        return (trial.child for trial in self._open())

    def stop(self) -> None:
        self._starts_more = False
        for trial in self._open():
            trial.reason = trial.reason or "the sweep was canceled"
        super().stop()

    def _open(self) -> list[Trial]:
        return [trial for trial in self._trials if trial.status not in ENDED]

    def _run_trials(self) -> bool:
        """Run trials until all have ended; return whether the time of the sweep was over before."""
        started, limit = time.monotonic(), self._sweep.timeout or math.inf
        timed_out = False
        while True:
            for trial in self._open():
                self._look(trial)
            for trial in self._open():
                self._end_if_poor(trial)
            self._start_more()
            if not self._open():
                return timed_out
            self.wait(_POLL_SECONDS)
            self.handle_signals()
            if not timed_out and time.monotonic() - started >= limit:
                timed_out, self._starts_more = True, False
                for trial in self._open():
                    trial.end(f"the sweep timed out after {limit:g} s (`limits.timeout`)")

    def _look(self, trial: Trial) -> None:
        # The status comes first: what a trial logged before its end must not be missed.
        status = trial.child.record().status if trial.child.has_ended() else RUNNING
        values = self._store.metric_values(trial.name, self._sweep.metric)
        trial.status, trial.history = status, scores(self._sweep, values)
        if status == RUNNING:
            return
        score = trial.score
        trial.seconds = time.monotonic() - trial.started
        self._search.tell(trial.number, score)
        mark, best = "", self._best
        if status == COMPLETED and score is not None:
            best_score = -math.inf if best is None or best.score is None else best.score
            mark = ", the best so far" if score > best_score else ""
            # Of equal ones the first, in whatever order they end.
            if best is None or (score, -trial.number) > (best_score, -best.number):
                self._best = trial
        self._report_end(trial, mark)

    def _end_if_poor(self, trial: Trial) -> None:
        if not trial.reason:
            ended = {each.number for each in self._trials if each.status in ENDED}
            histories = {each.number: each.history for each in self._trials}
            reason = reason_to_end(self._sweep, trial.number, histories, ended, trial.seen)
            trial.seen = len(trial.history)
            if reason:
                trial.end(reason)

    def _start_more(self) -> None:
        while (
            self._starts_more
            and not self._is_hopeless()
            and len(self._open()) < self._at_once
            and len(self._trials) < self._sweep.max_total_trials
        ):
            values = self._search.ask()
            if values is None:
                # All values of the search space had their trial.
                self._starts_more = False
                return
            number, workspace = len(self._trials), LocalWorkspace(self.folder.root)
            folder = create_trial(workspace, self._spec, self.record, number, values)
            self._trials.append(Trial(number, values, Child(folder)))
            texts = value_texts(values).items()
            self._say(f"{folder.name} Running: {' '.join('='.join(pair) for pair in texts)}")

    def _is_hopeless(self) -> bool:
        statuses = [trial.status for trial in self._trials]
        return statuses.count(FAILED) >= _HOPELESS and not {COMPLETED, CANCELED} & set(statuses)

    def _value(self, trial: Trial) -> float | None:
        if trial.score is None:
            return None
        return trial.score if self._sweep.maximize else -trial.score

    def _report_end(self, trial: Trial, mark: str) -> None:
        record = trial.child.record()
        if trial.reason and trial.status != COMPLETED:
            # What its own process recorded is only the signal.
            record.error = trial.reason
            with contextlib.suppress(OSError):
                trial.child.folder.save(record)
        value = self._value(trial)
        result = f", {self._sweep.metric} {value:.6g}" if value is not None else ""
        why = f": {record.error}" if record.error else ""
        after = duration_text(trial.seconds)
        self._say(f"{trial.name} {trial.status} after {after}{result}{mark}{why}")

    def _say_table(self, objective: Mapping[str, Any]) -> None:
        rows = [
            {
                "name": trial.name,
                "status": trial.status,
                "metric": self._value(trial),
                "duration": trial.seconds,
                "parameters": trial.values,
            }
            for trial in self._trials
        ]
        best = self._best.name if self._best else ""
        self._say("\n".join(["", *trial_table(rows, objective, best), ""]))

    def _ended(self, timed_out: bool) -> Ended:
        """Record what the sweep found, and return how it ended."""
        record, best, metric = self.record, self._best, self._sweep.metric
        if best is not None:
            # Azure ML, too, gives the outputs of the best trial as those of the sweep.
            record.best_trial, record.outputs = best.name, best.child.record().outputs
            self._say(f"The best trial is {best.name}, {metric} {self._value(best):.6g}.")
        if self.signalled is not None:
            return Ended(128 + self.signalled, signalled=self.signalled)
        if timed_out:
            return Ended(0, timed_out=True)
        completed = [trial for trial in self._trials if trial.status == COMPLETED]
        if not completed:
            # One that failed says more than one that was canceled.
            first = min(self._trials, key=lambda trial: trial.status != FAILED)
            last = first.child.record()
            print_log_end(first.child.folder, last)
            error = f"no trial completed; {first.name}: {last.error}"
            return Ended(last.exit_code or 1, error=error)
        if best is None:
            metrics = self._store.read_run(completed[0].name).metrics
            logged = ", ".join(sorted(metrics)) or "nothing"
            warning = (
                f"no trial is the best, because none logged `{metric}`; "
                f"{completed[0].name} logged {logged}"
            )
            if self._spec.job.get("outputs") and record.parent:
                # The steps that follow have nothing to go on with.
                return Ended(1, error=warning)
            record.warnings.append(warning)
        return Ended(0)

    def _say(self, text: str) -> None:
        self._log.write(os.fsencode(f"{text}\n"))
        write_message(1, f"{text}\n")
