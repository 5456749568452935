"""Conditions for components, and for the steps of pipelines.

What azure-ai-ml sends of these has the keys of its YAML, not of the control plane: the source is
`_to_rest_object` of `Component` and of the nodes (`entities/_component`, `entities/_builders`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azureml_standin.control_plane import resources
from azureml_standin.control_plane.references import References

RUNNABLE = ("command", "pipeline", "sweep")
_TASKS = ("parallel", "spark", "import", "data_transfer", "automl", "promptflow_parallel")
_CONTROL_FLOW = ("if_else", "do_while", "parallel_for")
_NODES = (*RUNNABLE, *_TASKS, *_CONTROL_FLOW)
_BINDING = re.compile(r"\$\{\{parent\.(?:(inputs|outputs)\.([\w.]+)|jobs\.(\w+)\.(\w+)\.(\w+))\}\}")


def check_component(properties: Mapping[str, Any], references: References) -> None:
    """Raise `HttpError` for a component that names what does not exist."""
    spec = resources.required(properties, "componentSpec", dict)
    for group in ("inputs", "outputs"):
        for name, given in (spec.get(group) or {}).items():
            if not isinstance(given, dict) or not given.get("type"):
                raise resources.user_error(f"componentSpec.{group}.{name}.type is required.")
    kind = resources.one_of(spec, "type", _NODES)
    if kind == "command":
        references.check_command(spec, spec)
    elif kind == "pipeline":
        check_steps(spec, references)
    elif kind in ("parallel", "spark"):
        task = resources.required(spec, "task", dict) if kind == "parallel" else spec
        references.check_asset(resources.required(task, "code"), "codes")


def check_steps(pipeline: Mapping[str, Any], references: References) -> None:
    """Check the `jobs` of a pipeline job or of a pipeline component.

    In place of steps a job may name a component by `componentId`.
    """
    if pipeline.get("componentId"):
        references.check_asset(pipeline["componentId"], "components")
        return
    steps = resources.required(pipeline, "jobs", dict)
    for name, step in steps.items():
        kind = resources.one_of(step, "type", _NODES)
        references.check_compute(step.get("computeId"))
        bindings = [*_values(step.get("inputs")), *_values(step.get("outputs"))]
        for binding in _BINDING.finditer(" ".join(bindings)):
            _check_binding(name, binding, pipeline, steps)
        if kind in _CONTROL_FLOW or kind == "automl":
            continue
        holder = resources.required(step, "trial", dict) if kind == "sweep" else step
        component = resources.required(holder, "componentId")
        references.check_asset(component, "components")
        found = references.version(component)
        if found:
            _check_inputs(name, step, found["properties"]["componentSpec"])


def _values(given: Mapping[str, Any] | None) -> list[str]:
    return [str(each.get("value")) for each in (given or {}).values() if isinstance(each, dict)]


def _check_binding(
    name: str, binding: re.Match[str], pipeline: Mapping[str, Any], steps: Mapping[str, Any]
) -> None:
    group, key, step, _, _ = binding.groups()
    # `a.b` is the parameter b of the group a.
    known = steps if step else pipeline.get(group) or {}
    if step or key:
        if (step or key) in known or (key or "").partition(".")[0] in known:
            return
    raise resources.user_error(f"jobs.{name}: there is nothing at {binding[0]}.")


def _check_inputs(name: str, step: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    """Check that a step gives what its component needs, and nothing else."""
    declared = spec.get("inputs") or {}
    given = {*(step.get("inputs") or {}), *(step.get("search_space") or {})}
    for key in sorted({each.partition(".")[0] for each in given} - set(declared)):
        raise resources.user_error(f"jobs.{name}: its component has no input {key}.")
    for key, declaration in declared.items():
        is_needed = not declaration.get("optional") and declaration.get("default") is None
        if is_needed and declaration["type"] != "group" and key not in given:
            raise resources.user_error(f"jobs.{name}: the required input {key} is missing.")
