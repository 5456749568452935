"""Run a pipeline: start steps as their inputs become known, and wait for all that runs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.job_status import CANCELED, COMPLETED, FAILED, NOT_STARTED, now
from azureml_jobs.base.typed_json import read_data
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.jobfile.sweep.read import read_sweep
from azureml_jobs.local.cancel import end_without_runner
from azureml_jobs.local.child import Child
from azureml_jobs.local.job_run import OwnedJob, ParentRun, print_log_end
from azureml_jobs.local.output import Log, write_message
from azureml_jobs.local.pipeline.branch import Branch, StepRun
from azureml_jobs.local.pipeline.inputs import Sources, pipeline_of
from azureml_jobs.local.pipeline.reuse import earlier_steps
from azureml_jobs.local.pipeline.steps import StepFolders
from azureml_jobs.local.pipeline.view import View
from azureml_jobs.local.run_plan import RunPlan
from azureml_jobs.local.state import record_end
from azureml_jobs.local.supervise import Ended
from azureml_jobs.local.workspace import LocalWorkspace

# How much longer than its command the process of a step may take to end.
_RUNNER_SECONDS = 5.0


class PipelineRun(ParentRun):
    """The run of a pipeline that the user started, with the pipelines inside of it."""

    def run_job(self, log: Log, experiment_id: str) -> Ended:
        plan = read_data(RunPlan, self.folder.run_plan)
        pipeline = pipeline_of(plan)
        workspace = LocalWorkspace(Path(plan.repository, LOCAL_FOLDER))
        reuses = not (plan.no_cache or pipeline.settings.force_rerun)
        earlier = earlier_steps(workspace) if reuses else {}
        given = Sources(plan.data, {}, {}).bound(pipeline.given, pipeline.inputs, plan.job_file)
        self._folders = StepFolders(plan, workspace, self.folder, earlier)
        self._plan, self._root = plan, Branch(pipeline, self, given)
        self.begin_running()
        started = time.monotonic()
        with View(self.record.name, self._root, log) as self._view:
            self._run()
        self.record.timings["running"] = round(time.monotonic() - started, 3)
        return self._ended()

    def _run(self) -> None:
        view = self._view
        while True:
            self.handle_signals()
            self._kill_what_does_not_end()
            while self._advance():
                pass
            view.show()
            if self._root.has_ended:
                return
            seconds = view.seconds if self.stopped_at is None else 0.2
            self.wait(seconds, [view.target] if view.sink.is_pending else [])

    def _advance(self) -> bool:
        """Take note of what has ended and start what may start; return whether there was any."""
        self._has_changed = False
        # Pipelines inside of others come first.
        for branch in list(self._root.walk()):
            for step in branch.steps.values():
                if (child := step.running_child) and child.has_ended():
                    step.end(child.record())
                    self._note(step)
            for step, before in branch.hopeless():
                step.cause = before.cause or before.step.name
                self._never_run(step, f"not run: `{step.cause}` did not complete")
            self._start_or_give_up(branch)
            if branch.step is not None and branch.has_ended and not branch.step.has_ended:
                branch.step.end(branch.finish())
                self._note(branch.step)
        return self._has_changed

    def _start_or_give_up(self, branch: Branch) -> None:
        if self.stopped_at is None:
            for step in branch.startable():
                if self._free() > 0 or step.step.pipeline is not None:
                    self._start(branch, step)
            return
        for step in branch.steps.values():
            if step.status == NOT_STARTED:
                self._never_run(step, "not run: the pipeline was ended before")

    def _start(self, branch: Branch, step: StepRun) -> None:
        """Start a step, or record that it cannot be started."""
        try:
            given = branch.given_to(step, self._plan.data)
            if step.step.pipeline is not None:
                inputs = {name: each.resolved.as_data() for name, each in given.items()}
                folder = self._folders.create_other(step, inputs=inputs)
                step.begin(folder)
                inner = OwnedJob(folder, folder.read())
                inner.begin()
                step.branch = Branch(step.step.pipeline, inner, given, step)
            else:
                if step.step.kind == "sweep":
                    wanted = read_sweep(step.step.node, step.step.where).max_concurrent_trials
                    step.at_once = min(wanted, self._free())
                folder = self._folders.create(step, given)
                step.begin(folder)
                record = folder.read()
                if record.has_ended:
                    step.end(record)
                else:
                    prefix = self._plan.search_python if step.step.kind == "sweep" else ""
                    step.child = Child(folder, prefix)
        except (JobError, OSError) as error:
            self._never_run(step, str(error), FAILED)
            return
        self._note(step)
        self._view.show()

    def _never_run(self, step: StepRun, reason: str, end: str = CANCELED) -> None:
        # Where nothing can be written, the log still has it.
        with contextlib.suppress(JobError, OSError):
            if step.folder is None:
                known = {"status": end, "error": reason, "ended": now()}
                step.folder = self._folders.create_other(step, **known)
            else:
                record_end(step.folder, step.folder.read(), end, reason)
        step.status, step.note = end, reason
        self._note(step)

    def _note(self, step: StepRun) -> None:
        """Report a change, and end the others if the pipeline does not go on after a failure."""
        self._has_changed = True
        self._view.changed(step)
        goes_on = self._root.pipeline.settings.continue_on_step_failure
        if step.status == FAILED and not goes_on and self.stopped_at is None:
            self.stop()

    def _steps(self) -> Iterator[StepRun]:
        for branch in self._root.walk():
            yield from branch.steps.values()

    def _free(self) -> int:
        busy = sum(step.at_once for step in self._steps() if step.running_child)
        return self._plan.jobs_at_once - busy

    def running(self) -> Iterator[Child]:
        return filter(None, (step.running_child for step in self._steps()))

    def _kill_what_does_not_end(self) -> None:
        limit = self.grace + _RUNNER_SECONDS
        if self.stopped_at is not None and time.monotonic() - self.stopped_at > limit:
            for child in self.running():
                child.kill()
                end_without_runner(child.folder, child.folder.read())

    def _failed_steps(self) -> list[StepRun]:
        """Return the steps that failed or, if none did, those that were canceled by themselves."""
        steps = [
            step
            for step in self._steps()
            if step.branch is None and step.status != COMPLETED and step.was_started
        ]
        return [step for step in steps if step.status == FAILED] or steps

    def _ended(self) -> Ended:
        self.record.outputs = self._root.outputs()
        if self.signalled is not None:
            return Ended(128 + self.signalled, signalled=self.signalled)
        failed = self._failed_steps()
        for step in failed:
            if step.folder is not None:
                print_log_end(step.folder, step.folder.read())
            write_message(2, f"\n{step.label}: {step.note.rstrip('.')}.\n")
        if not failed:
            return Ended(0)
        named = ", ".join(f"`{step.label}`" for step in failed)
        error = f"the step{'s' if len(failed) > 1 else ''} {named} did not complete"
        return Ended(failed[0].exit_status, error=error)
