"""Run a pipeline: start steps as their inputs become known, and wait for all that runs."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.jobfile.pipeline.model import Step
from azureml_jobs.jobfile.sweep.read import read_sweep
from azureml_jobs.local.cancel import end_without_runner
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.job_run import JobRun, OwnedJob
from azureml_jobs.local.output import Log, write_message
from azureml_jobs.local.pipeline.branch import Branch, StepRun
from azureml_jobs.local.pipeline.create import pipeline_of
from azureml_jobs.local.pipeline.inputs import Sources
from azureml_jobs.local.pipeline.reuse import EarlierSteps
from azureml_jobs.local.pipeline.steps import StepFolders
from azureml_jobs.local.pipeline.view import View
from azureml_jobs.local.run_plan import RunPlan
from azureml_jobs.local.run_report import print_log_end
from azureml_jobs.local.state import record_end
from azureml_jobs.local.supervise import SAME_KEY_PRESS_SECONDS, Ended
from azureml_jobs.local.workspace import LocalWorkspace

# How much longer than its command the process of a step may take to end.
_RUNNER_SECONDS = 5.0


class PipelineRun(JobRun):
    """The run of a pipeline that the user started, with the pipelines inside of it."""

    def make_folders(self) -> None:
        """Make none: each step has its own."""

    def run_job(self, interruptions: Interruptions, log: Log, experiment_id: str) -> Ended:
        plan = RunPlan.read(self.folder)
        pipeline = pipeline_of(plan)
        workspace = LocalWorkspace(Path(plan.repository, LOCAL_FOLDER))
        reuses = not (plan.no_cache or pipeline.settings.force_rerun)
        earlier = EarlierSteps(workspace) if reuses else None
        given = Sources(plan.data, {}, {}).bound(pipeline.given, pipeline.inputs, plan.job_file)
        root = Branch(pipeline, self, given)
        self._folders = StepFolders(plan, workspace, self.folder, earlier)
        self._plan, self._root, self._interruptions = plan, root, interruptions
        self._signalled: int | None = None
        self._stopped_at: float | None = None
        self.begin_running()
        started = time.monotonic()
        with View(self.record.name, root, log) as self._view:
            self._run()
        self.record.timings["running"] = round(time.monotonic() - started, 3)
        return self._ended()

    def end_reason(self, ended: Ended) -> tuple[str, str | None]:
        if ended.signalled is not None:
            return super().end_reason(ended)
        failed = self._failed_steps()
        if not failed:
            return status.COMPLETED, None
        named = ", ".join(f"`{step.label}`" for step in failed)
        plural = "s" if len(failed) > 1 else ""
        return status.FAILED, f"the step{plural} {named} did not complete"

    def _run(self) -> None:
        while True:
            self._handle_signals()
            while self._advance():
                pass
            self._view.show()
            if self._root.has_ended:
                return
            self._wait()

    def _wait(self) -> None:
        """Wait for a signal, for the end of a child, for room to print, or for the next second."""
        writing = [self._view.target] if self._view.is_pending else []
        _, writable, _ = select.select(
            [self._interruptions.fileno()], writing, [], self._wait_seconds()
        )
        if writable:
            self._view.send()

    def _wait_seconds(self) -> float | None:
        return self._view.seconds if self._stopped_at is None else 0.2

    def _advance(self) -> bool:
        """Take note of what has ended and start what may start; return whether there was any."""
        changed = False
        for branch in self._branches():
            for step in branch.steps.values():
                if step.child is not None and not step.has_ended and step.child.has_ended():
                    step.end(step.child.record())
                    self._note(step)
                    changed = True
            for name, before in branch.hopeless().items():
                cause = branch.steps[before].cause or before
                branch.steps[name].cause = cause
                self._never_run(branch, branch.steps[name], f"not run: `{cause}` did not complete")
                changed = True
            if self._stopped_at is None:
                for step in branch.startable():
                    if self._free() > 0 or step.step.pipeline is not None:
                        self._start(branch, step)
                        changed = True
            else:
                for step in branch.steps.values():
                    if step.status == status.NOT_STARTED:
                        self._never_run(branch, step, "not run: the pipeline was ended before")
                        changed = True
            if branch.step is not None and branch.has_ended and not branch.step.has_ended:
                branch.step.end(branch.finish())
                self._note(branch.step)
                changed = True
        return changed

    def _start(self, branch: Branch, step: StepRun) -> None:
        """Start a step, or record that it cannot be started."""
        try:
            place = branch.place_of(step)
            given = branch.given_to(step, self._plan.data)
            if step.step.pipeline is not None:
                folder = self._folders.create_pipeline(step.step, place, given)
                step.begin(folder)
                inner = OwnedJob(folder, folder.read())
                inner.begin()
                inner.create_mlflow_run()
                step.branch = Branch(step.step.pipeline, inner, given, step)
            else:
                step.at_once = min(commands_at_once(step.step), self._free())
                folder = self._folders.create(step.step, place, given, step.at_once)
                step.begin(folder)
                record = folder.read()
                if record.has_ended:
                    step.end(record)
                else:
                    step.start_child(self._plan.search_python)
        except (JobError, OSError) as error:
            self._never_run(branch, step, str(error), status.FAILED)
            return
        self._note(step)
        self._view.show()

    def _never_run(
        self, branch: Branch, step: StepRun, reason: str, end: str = status.CANCELED
    ) -> None:
        try:
            if step.folder is None:
                place = branch.place_of(step)
                step.folder = self._folders.create_ended(step.step, place, end, reason)
            else:
                record_end(step.folder, step.folder.read(), end, reason)
        except (JobError, OSError):
            # The log still has it.
            pass
        step.status, step.note = end, reason
        self._note(step)

    def _note(self, step: StepRun) -> None:
        """Report a change, and end the others if the pipeline does not go on after a failure."""
        self._view.changed(step)
        goes_on = self._root.pipeline.settings.continue_on_step_failure
        if step.status == status.FAILED and not goes_on and self._stopped_at is None:
            self._stop()

    def _free(self) -> int:
        """Return how many commands may start next to those that run."""
        return self._plan.jobs_at_once - sum(step.at_once for step in self._running())

    def _handle_signals(self) -> None:
        for signum in self._interruptions.take():
            if self._signalled is None:
                self._signalled = signum
                self.record.status = status.CANCEL_REQUESTED
                self.save()
            self._stop()
        limit = self.grace + _RUNNER_SECONDS
        if self._stopped_at is not None and time.monotonic() - self._stopped_at > limit:
            for step in self._running():
                if step.child is not None:
                    step.child.kill()
                    end_without_runner(step.child.folder, step.child.folder.read())

    def _stop(self) -> None:
        now = time.monotonic()
        if self._stopped_at is None:
            self._stopped_at = now
        elif now - self._stopped_at < SAME_KEY_PRESS_SECONDS:
            return
        for step in self._running():
            if step.child is not None:
                step.child.cancel()

    def _running(self) -> Iterator[StepRun]:
        """Yield the commands and sweeps that run."""
        for branch in self._branches():
            for step in branch.steps.values():
                if step.child is not None and not step.has_ended:
                    yield step

    def _branches(self) -> list[Branch]:
        """Return all pipelines in progress, those inside of others first."""
        return list(self._root.walk())

    def _failed_steps(self) -> list[StepRun]:
        """Return the steps that failed or, if none did, those that were canceled by themselves."""
        steps = [
            step
            for branch in self._branches()
            for step in branch.steps.values()
            if step.branch is None and step.status != status.COMPLETED and step.was_started
        ]
        return [step for step in steps if step.status == status.FAILED] or steps

    def _ended(self) -> Ended:
        self.record.outputs = self._root.outputs()
        if self._signalled is not None:
            return Ended(128 + self._signalled, signalled=self._signalled)
        failed = self._failed_steps()
        for step in failed:
            if step.folder is not None:
                print_log_end(step.folder, step.folder.read())
            write_message(2, f"\n{step.label}: {step.note.rstrip('.')}.\n")
        return Ended(failed[0].exit_status if failed else 0)


def commands_at_once(step: Step) -> int:
    """Return how many commands the step wants to run at a time."""
    return read_sweep(step.node, step.where).max_concurrent_trials if step.kind == "sweep" else 1
