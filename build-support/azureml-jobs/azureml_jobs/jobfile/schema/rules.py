"""What azure-ai-ml checks of several keys at once, in code, as hooks.py names it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.documents import mapping_of
from azureml_jobs.jobfile.findings import Finding

Rule = Callable[[Mapping[str, Any]], Finding | None]


def _jobs_or_component(value: Mapping[str, Any]) -> Finding | None:
    what = "a pipeline has either `jobs:` or `component:`, and this one has both"
    has_both = isinstance(value.get("component"), str) and value.get("jobs")
    return Finding("component", what, "Remove one of them.") if has_both else None


def _no_duplicates(key: str, value: Mapping[str, Any]) -> Finding | None:
    entries = value.get(key)
    if not isinstance(entries, list):
        return None
    again = [entry for entry in entries if entries.count(entry) > 1]
    return Finding(key, f"`{again[0]}` is there twice", "Keep one of them.") if again else None


def _one(group: str, name: str, value: Mapping[str, Any]) -> Finding | None:
    entries = value.get(group)
    if not isinstance(entries, Mapping) or list(entries) == [name]:
        return None
    remedy = f"Write `{name}:` below `{group}:`, and nothing else."
    return Finding(group, f"this task has one entry of `{group}:`, named `{name}`", remedy)


def _default_of_its_type(value: Mapping[str, Any]) -> Finding | None:
    """Check what `Input` of azure-ai-ml makes of `default`, `min` and `max` of a parameter."""
    kind = str(value.get("type"))
    for key in ("default", "min", "max"):
        entry = value.get(key)
        if entry is None or (isinstance(entry, float) and not math.isfinite(entry)):
            continue
        if key != "default" and kind in ("string", "boolean"):
            return Finding(key, f"an input of the type `{kind}` has no `{key}`", "Remove it.")
        if kind in _PARAMETERS and not _converts(entry, *_PARAMETERS[kind]):
            what = f"`{entry}` is not of the type `{kind}` of this input"
            return Finding(key, what, f"Write {_EXAMPLES[kind]}.")
    return None


def _converts(entry: Any, types: type | tuple[type, ...], convert: Callable[[Any], Any]) -> bool:
    try:
        return isinstance(entry, types) or convert(entry) is not None
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


_PARAMETERS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "integer": (int, lambda entry: int(float(entry))),
    "number": (float, float),
    "boolean": (bool, lambda entry: {"true": True, "false": False}[str(entry).lower()]),
}
_EXAMPLES = {"integer": "an integer", "number": "a number", "boolean": "`true` or `false`"}


def _one_output(value: Mapping[str, Any]) -> Finding | None:
    outputs = value.get("outputs")
    if not isinstance(outputs, Mapping) or len(outputs) == 1:
        return None
    return Finding("outputs", f"this task has one output, not {len(outputs)}", "Keep one of them.")


def _image_or_build(value: Mapping[str, Any]) -> Finding | None:
    if ("image" in value) != ("build" in value):
        return None
    if "image" in value:
        what = "this environment has both an image and a Dockerfile"
        remedy = "Remove `image:` or `build:`; a Dockerfile names its image by `FROM`."
    else:
        what = "this environment has neither an image nor a Dockerfile"
        remedy = "Add `build:` with the `path:` of the Dockerfile's folder, or `image: NAME`."
    return Finding("", what, remedy)


def _scheduled_job(value: Mapping[str, Any]) -> Finding | None:
    job = value.get("job")
    if isinstance(job, str) and job.startswith("azureml:") and value.get("type") != "pipeline":
        what = "azure-ai-ml changes a job in the workspace only if it is a pipeline"
        remedy = "Write `type: pipeline`, or `create_job: azureml:NAME` without changes."
        return Finding("type", what, remedy)
    return None


def _type_of_a_registered_component(value: Mapping[str, Any]) -> Finding | None:
    """Refuse what is no valid command, which azure-ai-ml then takes for an import of data."""
    if "type" in value or not str(value.get("component")).startswith("azureml:"):
        return None
    what = "a step without a type that runs a registered component is a command"
    return Finding("type", what, "Write the type of the component.")


# `ComponentJobConstants.INPUT_PATTERN` of azure-ai-ml.
_BINDING = re.compile(r"\$\{\{parent\.(inputs|jobs)\.([^.}]*).*?\}\}")


def _bindings(value: Mapping[str, Any]) -> Finding | None:
    """Check what steps with a command of their own take from the pipeline and from other steps."""
    for name, step in mapping_of(value.get("jobs")).items():
        if not isinstance(step, Mapping) or "component" in step or "trial" in step:
            continue
        for key, text in mapping_of(step.get("inputs")).items():
            match = _BINDING.fullmatch(text) if isinstance(text, str) else None
            known = value.get(match.group(1)) if match else None
            if match and match.group(2) not in (known or {}):
                what = "input" if match.group(1) == "inputs" else "step"
                remedy = suggestion(match.group(2), [str(each) for each in known or ()])
                return Finding(
                    f"jobs.{name}.inputs.{key}",
                    f"`{text}` names no {what} of this pipeline",
                    remedy or f"Add it below `{match.group(1)}:`.",
                )
    return None


RULES: dict[str, Rule] = {
    "bindings": _bindings,
    "default of its type": _default_of_its_type,
    "image or build": _image_or_build,
    "jobs or component": _jobs_or_component,
    "one input source": partial(_one, "inputs", "source"),
    "one output": _one_output,
    "one output sink": partial(_one, "outputs", "sink"),
    "scheduled job": _scheduled_job,
    "type of a registered component": _type_of_a_registered_component,
    **{
        f"no duplicates in {key}": partial(_no_duplicates, key)
        for key in ("archives", "files", "jars", "py_files")
    },
}
