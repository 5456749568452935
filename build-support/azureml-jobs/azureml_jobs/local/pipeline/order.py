"""Decide from the statuses of steps what may start, what never will, and how a pipeline ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from azureml_jobs.base.job_status import CANCELED, COMPLETED, ENDED, FAILED, NOT_STARTED
from azureml_jobs.jobfile.pipeline.model import Pipeline, Step


def startable(pipeline: Pipeline, statuses: Mapping[str, str]) -> list[Step]:
    """Return the steps that have all that they need, in order. `statuses` has one for each step."""
    return [
        step
        for step in pipeline.steps
        if statuses[step.name] == NOT_STARTED
        and all(statuses[name] in _enough_for(step, pipeline) for name in _needed(step, statuses))
    ]


def hopeless(pipeline: Pipeline, statuses: Mapping[str, str]) -> dict[str, str]:
    """Return the step that each step which can never start has waited for in vain."""
    return {
        step.name: name
        for step in pipeline.steps
        if statuses[step.name] == NOT_STARTED
        for name in _needed(step, statuses)
        if statuses[name] in ENDED and statuses[name] not in _enough_for(step, pipeline)
    }


def waits_for(step: Step, statuses: Mapping[str, str]) -> list[str]:
    """Return the names of the steps that have to end before the step."""
    return [name for name in _needed(step, statuses) if statuses[name] not in ENDED]


def outcome(statuses: Iterable[str]) -> str:
    """Return the status of a pipeline whose steps have ended with these."""
    found = set(statuses)
    return FAILED if FAILED in found else CANCELED if CANCELED in found else COMPLETED


def _needed(step: Step, statuses: Mapping[str, str]) -> list[str]:
    return [name for name in step.after if name in statuses]


def _enough_for(step: Step, pipeline: Pipeline) -> frozenset[str]:
    """Return the statuses with which an earlier step lets the step start."""
    return ENDED if step.name == pipeline.settings.on_finalize else frozenset({COMPLETED})
