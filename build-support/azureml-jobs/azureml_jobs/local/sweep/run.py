"""Run a sweep: each trial as a job of its own, a line for each change, and a table at the end."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from azureml_jobs.base.console import duration_text, trial_table, value_texts
from azureml_jobs.base.job_status import CANCEL_REQUESTED, COMPLETED, FAILED, RUNNING
from azureml_jobs.jobfile.sweep.read import read_sweep
from azureml_jobs.jobfile.sweep.space import Value
from azureml_jobs.local.child import Child
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.job_run import JobRun
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.output import Log, write_message
from azureml_jobs.local.run_plan import RunPlan
from azureml_jobs.local.run_report import print_log_end
from azureml_jobs.local.supervise import SAME_KEY_PRESS_SECONDS, Ended
from azureml_jobs.local.sweep.create import create_trial, read_spec
from azureml_jobs.local.sweep.trials import SweepLoop, SweepResult, Trial
from azureml_jobs.local.workspace import LocalWorkspace


class SweepRun(JobRun):
    """The run of a sweep. Its log has what it prints."""

    _error = ""
    _signal = 0
    _asked = 0.0

    def make_folders(self) -> None:
        """Only trials have folders."""

    def run_job(self, interruptions: Interruptions, log: Log, experiment_id: str) -> Ended:
        record = self.record
        plan = RunPlan.read(JobFolder(self.folder.path.parent / (record.root or record.name)))
        spec, workspace = read_spec(self.folder), LocalWorkspace(self.folder.root)
        sweep = read_sweep(spec.job, spec.where)
        self._sweep = replace(sweep, seed=plan.seed if sweep.seed is None else sweep.seed)
        self._log, self._interruptions = log, interruptions
        self.begin_running()

        def start(number: int, values: Mapping[str, Value]) -> TrialJob:
            return TrialJob(create_trial(workspace, spec, record, number, values))

        result = SweepLoop(self._sweep, start, self._wait, self._report, plan.jobs_at_once).run()
        self._say_table(result, spec.job["objective"])
        return self._ended(result, bool(spec.job.get("outputs")))

    def end_reason(self, ended: Ended) -> tuple[str, str | None]:
        return (FAILED, self._error) if self._error else super().end_reason(ended)

    def _wait(self, seconds: float) -> bool:
        select.select([self._interruptions.fileno()], [], [], seconds)
        received = self._interruptions.take()
        if not received:
            return False
        if not self._signal:
            self._signal, self._asked = received[0], time.monotonic()
            self.record.status = CANCEL_REQUESTED
            self.save()
            return True
        return time.monotonic() - self._asked > SAME_KEY_PRESS_SECONDS

    def _report(self, trial: Trial[TrialJob]) -> None:
        if trial.status == RUNNING:
            values = value_texts(trial.values).items()
            self._say(f"{trial.job.name} Running: {' '.join('='.join(pair) for pair in values)}")
            return
        if trial.reason and trial.status != COMPLETED:
            trial.job.explain_end(trial.reason)
        result = f", {self._sweep.metric} {trial.best:.6g}" if trial.best is not None else ""
        best = ", the best so far" if trial.is_best_so_far else ""
        error = trial.job.record().error
        why = f": {error}" if error else ""
        after = duration_text(trial.seconds)
        self._say(f"{trial.job.name} {trial.status} after {after}{result}{best}{why}")

    def _say_table(self, result: SweepResult[TrialJob], objective: Mapping[str, Any]) -> None:
        rows = [
            {
                "name": trial.job.name,
                "status": trial.status,
                "metric": trial.best,
                "duration": trial.seconds,
                "parameters": trial.values,
            }
            for trial in result.trials
        ]
        best = result.best.job.name if result.best else ""
        self._say("\n".join(["", *trial_table(rows, objective, best), ""]))

    def _ended(self, result: SweepResult[TrialJob], has_outputs: bool) -> Ended:
        """Record what the sweep found, and return how it ended."""
        record, best, metric = self.record, result.best, self._sweep.metric
        if best is not None:
            # Azure ML, too, gives the outputs of the best trial as those of the sweep.
            record.best_trial, record.outputs = best.job.name, best.job.record().outputs
            self._say(f"The best trial is {best.job.name}, {metric} {best.best:.6g}.")
        if self._signal:
            return Ended(128 + self._signal, signalled=self._signal)
        if result.timed_out:
            return Ended(0, timed_out=True)
        completed = [trial for trial in result.trials if trial.status == COMPLETED]
        if not completed:
            # One that failed says more than one that was canceled.
            first = min(result.trials, key=lambda trial: trial.status != FAILED).job
            print_log_end(first.folder, first.folder.read())
            self._error = f"no trial completed; {first.name}: {first.record().error}"
            return Ended(first.record().exit_code or 1)
        if best is None:
            logged = ", ".join(completed[0].job.metrics()) or "nothing"
            warning = (
                f"no trial is the best, because none logged `{metric}`; "
                f"{completed[0].job.name} logged {logged}"
            )
            if has_outputs and record.parent:
                # The steps that follow have nothing to go on with.
                self._error = warning
                return Ended(1)
            record.warnings.append(warning)
        return Ended(0)

    def _say(self, text: str) -> None:
        self._log.write(os.fsencode(f"{text}\n"))
        write_message(1, f"{text}\n")


class TrialJob:
    """The job of a trial, in a process of its own."""

    def __init__(self, folder: JobFolder) -> None:
        self.folder = folder
        self.name = folder.name
        self._store = MlflowStore(folder.mlruns)
        self._child = Child(folder)
        self.record, self.cancel = self._child.record, self._child.cancel

    def status(self) -> str:
        return self.record().status if self._child.has_ended() else RUNNING

    def metric_history(self, metric: str) -> Sequence[float]:
        return self._store.metric_values(self.name, metric)

    def metrics(self) -> list[str]:
        """Return the names of all metrics that it logged."""
        run = self._store.read_run(self.name)
        return sorted(run.metrics) if run else []

    def explain_end(self, reason: str) -> None:
        """Record why the sweep ended it; what its own process recorded is only the signal."""
        record = self.record()
        record.error = reason
        with contextlib.suppress(OSError):
            self.folder.save(record)
