"""The state of one pipeline in progress: the root's, or that of a step which is a pipeline."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from azureml_jobs.base import job_status as status
from azureml_jobs.jobfile.pipeline.model import Pipeline, Step
from azureml_jobs.local.child import Child
from azureml_jobs.local.create_command import Place
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import ResolvedInput
from azureml_jobs.local.job_run import OwnedJob
from azureml_jobs.local.pipeline.inputs import Given, Sources
from azureml_jobs.local.pipeline.order import hopeless, outcome, startable, waits_for
from azureml_jobs.local.record import JobRecord


class StepRun:
    """One step in progress. `label` has the names that lead to it; `note` explains its status.

    `cause` is the step because of which it never runs; `at_once` how many commands it may run at a
    time.
    """

    def __init__(self, step: Step, label: str) -> None:
        self.step = step
        self.label = label
        self.status = status.NOT_STARTED
        self.note = ""
        self.cause = ""
        self.at_once = 1
        self.folder: JobFolder | None = None
        self.child: Child | None = None
        self.branch: Branch | None = None
        self.record: JobRecord | None = None
        self.started: float | None = None
        self.ended: float | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in status.ENDED

    @property
    def was_started(self) -> bool:
        return self.started is not None or self.status == status.FAILED

    @property
    def seconds(self) -> float | None:
        """How long it has run, None before that and for one that did not have to run."""
        if self.started is None or (self.record is not None and self.record.reused):
            return None
        return (self.ended or time.monotonic()) - self.started

    @property
    def exit_status(self) -> int:
        code = self.record.exit_code if self.record else None
        return code or 1

    def begin(self, folder: JobFolder) -> None:
        self.folder = folder
        self.status, self.started = status.RUNNING, time.monotonic()

    def start_child(self, search_python: str) -> None:
        if self.folder is None:
            raise ValueError("the step has no folder yet")
        self.child = Child(self.folder, search_python if self.step.kind == "sweep" else "")

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
        self.steps = {each.name: StepRun(each, above + each.name) for each in pipeline.steps}

    @property
    def has_ended(self) -> bool:
        return all(step.has_ended for step in self.steps.values())

    @property
    def statuses(self) -> dict[str, str]:
        return {name: step.status for name, step in self.steps.items()}

    def startable(self) -> list[StepRun]:
        return [self.steps[step.name] for step in startable(self.pipeline, self.statuses)]

    def hopeless(self) -> dict[str, str]:
        return hopeless(self.pipeline, self.statuses)

    def waits_for(self, step: StepRun) -> list[str]:
        return waits_for(step.step, self.statuses)

    def place_of(self, step: StepRun) -> Place:
        return Place.below(self.job.record, step.step.name)

    def given_to(self, run: StepRun, data: Mapping[str, ResolvedInput]) -> dict[str, Given]:
        """Return the inputs of a step; `data` is as in `Sources`."""
        records = {name: each.record for name, each in self.steps.items() if each.record}
        step = run.step
        return Sources(data, self.given, records).bound(step.inputs, step.declared, step.where)

    def outputs(self) -> dict[str, str]:
        """Return the paths of the pipeline's outputs: those of the steps that write them."""
        found = {}
        for name, output in self.pipeline.outputs.items():
            record = self.steps[output.step].record if output.step else None
            if record is not None and output.output in record.outputs:
                found[name] = record.outputs[output.output]
        return found

    def finish(self) -> JobRecord:
        """Record the end of an inner pipeline."""
        record = self.job.record
        record.outputs = self.outputs()
        failed = [step for step in self.steps.values() if step.status != status.COMPLETED]
        record.exit_code = failed[0].exit_status if failed else 0
        named = ", ".join(f"`{step.step.name}`" for step in failed if step.was_started)
        error = f"{named or 'its steps'} did not complete" if failed else None
        self.job.record_end(outcome(self.statuses.values()), error)
        return record

    def walk(self) -> Iterator[Branch]:
        """Yield the pipelines in progress, those inside of this one before it."""
        for step in self.steps.values():
            if step.branch is not None:
                yield from step.branch.walk()
        yield self
