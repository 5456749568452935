"""The state of one pipeline in progress: the root's, or that of a step which is a pipeline."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from azureml_jobs.base.job_status import CANCELED, COMPLETED, ENDED, FAILED, NOT_STARTED, RUNNING
from azureml_jobs.jobfile.pipeline.model import Pipeline, Step
from azureml_jobs.local.child import Child
from azureml_jobs.local.create_command import Place
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import ResolvedInput
from azureml_jobs.local.job_run import OwnedJob
from azureml_jobs.local.pipeline.inputs import Given, Sources
from azureml_jobs.local.record import JobRecord


@dataclass(eq=False)
class StepRun:
    """One step in progress. `label` has the names that lead to it; `note` explains its status.

    `cause` is the step because of which it never runs; `at_once` how many commands it may run at a
    time.
    """

    step: Step
    label: str
    place: Place
    status: str = NOT_STARTED
    note: str = ""
    cause: str = ""
    at_once: int = 1
    folder: JobFolder | None = None
    child: Child | None = None
    branch: Branch | None = None
    record: JobRecord | None = None
    started: float | None = None
    ended: float | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def was_started(self) -> bool:
        return self.started is not None or self.status == FAILED

    @property
    def running_child(self) -> Child | None:
        """The process of a command or a sweep, as long as its end was not noted."""
        return None if self.has_ended else self.child

    @property
    def seconds(self) -> float | None:
        """How long it has run, None before that and for one that did not have to run."""
        if self.started is None or (self.record is not None and self.record.reused):
            return None
        return (self.ended or time.monotonic()) - self.started

    @property
    def exit_status(self) -> int:
        return (self.record.exit_code if self.record else None) or 1

    def begin(self, folder: JobFolder) -> None:
        self.folder = folder
        self.status, self.started = RUNNING, time.monotonic()

    def end(self, record: JobRecord) -> None:
        """Take over the end that is recorded."""
        self.record, self.status, self.ended = record, record.status, time.monotonic()
        self.note = f"reused: {record.reused}" if record.reused else record.error or ""


class Branch:
    """A pipeline whose steps run; `step` is the one that it is of another pipeline."""

    def __init__(
        self,
        pipeline: Pipeline,
        job: OwnedJob,
        given: Mapping[str, Given],
        step: StepRun | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.job = job
        self.given = given
        self.step = step
        above = f"{step.label}/" if step else ""
        self.steps = {
            each.name: StepRun(each, above + each.name, Place.below(job.record, each.name))
            for each in pipeline.steps
        }

    @property
    def has_ended(self) -> bool:
        return all(step.has_ended for step in self.steps.values())

    def startable(self) -> list[StepRun]:
        """Return the steps that have all that they need, in order."""
        return [
            step
            for step in self.steps.values()
            if step.status == NOT_STARTED
            and all(each.status in self._enough_for(step) for each in self._needed(step))
        ]

    def hopeless(self) -> list[tuple[StepRun, StepRun]]:
        """Return the steps that can never start, each with one that it has waited for in vain."""
        pairs = {
            step.label: (step, each)
            for step in self.steps.values()
            if step.status == NOT_STARTED
            for each in self._needed(step)
            if each.has_ended and each.status not in self._enough_for(step)
        }
        return list(pairs.values())

    def waits_for(self, step: StepRun) -> list[str]:
        """Return the names of the steps that have to end before the step."""
        return [each.step.name for each in self._needed(step) if not each.has_ended]

    def _needed(self, step: StepRun) -> list[StepRun]:
        return [self.steps[name] for name in step.step.after if name in self.steps]

    def _enough_for(self, step: StepRun) -> frozenset[str]:
        """Return the statuses with which an earlier step lets the step start."""
        is_last = step.step.name == self.pipeline.settings.on_finalize
        return ENDED if is_last else frozenset({COMPLETED})

    def given_to(self, run: StepRun, data: Mapping[str, ResolvedInput]) -> dict[str, Given]:
        """Return the inputs of a step; `data` is as in `Sources`."""
        records = {name: each.record for name, each in self.steps.items() if each.record}
        step = run.step
        return Sources(data, self.given, records).bound(step.inputs, step.declared, step.where)

    def outputs(self) -> dict[str, str]:
        """Return the paths of the pipeline's outputs: those of the steps that write them."""
        found = {}
        for name, output in self.pipeline.outputs.items():
            record = self.steps[output.step].record
            if record is not None and output.name in record.outputs:
                found[name] = record.outputs[output.name]
        return found

    def finish(self) -> JobRecord:
        """Record the end of an inner pipeline."""
        record = self.job.record
        record.outputs = self.outputs()
        failed = [step for step in self.steps.values() if step.status != COMPLETED]
        record.exit_code = failed[0].exit_status if failed else 0
        named = ", ".join(f"`{step.step.name}`" for step in failed if step.was_started)
        error = f"{named or 'its steps'} did not complete" if failed else None
        statuses = {step.status for step in failed}
        end = FAILED if FAILED in statuses else CANCELED if failed else COMPLETED
        self.job.record_end(end, error)
        return record

    def walk(self) -> Iterator[Branch]:
        """Yield the pipelines in progress, those inside of this one before it."""
        for step in self.steps.values():
            if step.branch is not None:
                yield from step.branch.walk()
        yield self
