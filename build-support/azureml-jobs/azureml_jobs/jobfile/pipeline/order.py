"""Put the steps of a pipeline in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.pipeline.model import Settings, Step

_NAMED_STEP = re.compile(r"\$\{\{\s*parent\.jobs\.([^.\s}]+)")
# What a step names there comes after it, or is in a pipeline of its own.
_NOT_BEFORE = frozenset(("true_block", "false_block", "body", "mapping", "component", "jobs"))


def steps_before(step: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the steps whose outputs the step names."""
    values = [value for key, value in step.items() if key not in _NOT_BEFORE]
    return tuple(dict.fromkeys(_named_steps(values)))


def in_order(steps: Iterable[Step], settings: Settings, where: str) -> tuple[Step, ...]:
    """Return the steps so that each comes after those that it needs, otherwise as they are.

    That of `on_init` is before all, that of `on_finalize` after all. Raises `JobError` for steps
    that wait for each other.
    """
    by_name = {step.name: step for step in steps}
    ends = (settings.on_init, settings.on_finalize)
    for name, step in by_name.items():
        after = [each for each in step.after if each in by_name]
        if settings.on_init in by_name and name not in ends:
            after.insert(0, settings.on_init)
        if name == settings.on_finalize:
            after = [each for each in by_name if each != name]
        by_name[name] = replace(step, after=tuple(dict.fromkeys(after)))
    try:
        TopologicalSorter({name: step.after for name, step in by_name.items()}).prepare()
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise JobError(
            where, f"these steps wait for each other: {circle}", "Remove one of the bindings."
        ) from None
    ordered: list[Step] = []
    while by_name:
        ready = (step for step in by_name.values() if by_name.keys().isdisjoint(step.after))
        ordered.append(by_name.pop(next(ready).name))
    return tuple(ordered)


def _named_steps(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _named_steps(each)
    elif isinstance(value, str):
        yield from _NAMED_STEP.findall(value)
