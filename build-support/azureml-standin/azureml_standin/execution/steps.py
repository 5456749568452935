"""Describe the steps of a pipeline, and the trials of a sweep, as jobs of their own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.sweep.space import value_text
from azureml_standin.control_plane.asset_checks import RUNNABLE
from azureml_standin.control_plane.resources import output_addresses, snake_keys

_BINDING = re.compile(
    r"\$\{\{parent\.(?:inputs\.([\w.]+?)|jobs\.(\w+)\.outputs\.(\w+))(?:\.path)?\}\}"
)
_PARENT_OUTPUT = re.compile(r"\$\{\{parent\.outputs\.(\w+)\}\}")
_LITERAL = ("string", "number", "integer", "boolean")
# Keys that a job has as well.
_KEPT = ("computeId", "limits", "objective", "search_space", "sampling_algorithm", "tags")
# What decides whether a step has run before.
_REUSED_BY = (
    *("command", "codeId", "environmentId", "environmentVariables"),
    *("inputs", "outputs", "distribution", "resources"),
)

Body = dict[str, Any]


class Steps:
    """The steps of one pipeline. They have keys of YAML where jobs have the control plane's.

    pipeline: the properties of the job, or of the job that a pipeline component became.
    component: returns the specification of a component by its id.
    """

    def __init__(self, pipeline: Mapping[str, Any], component: Callable[[str], Body]) -> None:
        self._pipeline = pipeline
        self._component = component
        # The outputs of the steps that have run, as inputs of others.
        self._outputs: dict[str, dict[str, Body]] = {}

    def needs(self, step: str) -> set[str]:
        """Return the steps whose outputs a step reads."""
        text = str(self._pipeline["jobs"][step].get("inputs") or {})
        return {match[2] for match in _BINDING.finditer(text) if match[2]}

    def in_order(self) -> list[str]:
        """Return the steps, each after those that it needs. Raises `JobError` for a cycle."""
        graph = {step: self.needs(step) for step in self._pipeline["jobs"]}
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            steps = ", ".join(error.args[1])
            raise JobError("jobs", f"the steps {steps} wait for each other") from None

    def body(self, step: str) -> Body:
        """Return the properties of the job that runs a step."""
        node = self._pipeline["jobs"][step]
        kind = node["type"]
        if kind not in RUNNABLE:
            raise JobError(f"jobs.{step}", f"the stand-in does not run steps of type {kind}")
        holder = node["trial"] if kind == "sweep" else node
        spec = self._component(holder["componentId"])
        command = _command(spec, node)
        content = {"trial": command} if kind == "sweep" else command
        return {
            "jobType": kind.capitalize(),
            "displayName": node.get("display_name") or spec.get("display_name") or step,
            "experimentName": self._pipeline.get("experimentName"),
            "description": node.get("description") or spec.get("description"),
            "inputs": self._inputs(node, spec),
            "outputs": _outputs(node.get("outputs") or {}, spec.get("outputs") or {}),
            **{key: node[key] for key in _KEPT if key in node},
            **({"jobs": spec["jobs"]} if kind == "pipeline" else content),
            "settings": self._pipeline.get("settings") or {},
        }

    def reuse_key(self, step: str, body: Body) -> str:
        """Return what a step has in common with those whose outputs it may have; or nothing."""
        node = self._pipeline["jobs"][step]
        if node["type"] != "command" or (self._pipeline.get("settings") or {}).get("force_rerun"):
            return ""
        if self._component(node["componentId"]).get("is_deterministic") is False:
            return ""
        same = {key: body[key] for key in _REUSED_BY}
        return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()

    def ended(self, step: str, job: str, body: Body, inner: Mapping[str, str]) -> None:
        """Remember where the outputs of a step are: in its job, or in one `inner` to it."""
        own = output_addresses(job, body)
        self._outputs[step] = {
            key: {"jobInputType": given["jobOutputType"], "uri": inner.get(key) or own[key]}
            for key, given in body["outputs"].items()
        }

    def parent_outputs(self) -> dict[str, str]:
        """Return where the pipeline's outputs are, which are outputs of its steps."""
        return {
            match[1]: outputs[key]["uri"]
            for step, outputs in self._outputs.items()
            for key, given in (self._pipeline["jobs"][step].get("outputs") or {}).items()
            if (match := _PARENT_OUTPUT.fullmatch(str(given.get("value"))))
        }

    def _inputs(self, node: Mapping[str, Any], spec: Mapping[str, Any]) -> Body:
        found = {}
        for key, declaration in (spec.get("inputs") or {}).items():
            default = {"value": declaration.get("default")}
            given = (node.get("inputs") or {}).get(key) or default
            if given != {"value": None}:
                found[key] = self._input(given, declaration["type"])
        return {key: value for key, value in found.items() if value is not None}

    def _input(self, given: Mapping[str, Any], declared: str) -> Body | None:
        mode = {"mode": given["mode"]} if given.get("mode") else {}
        if given.get("uri"):
            return {"jobInputType": given["job_input_type"], "uri": given["uri"], **mode}
        text = str(given["value"])
        binding = _BINDING.fullmatch(text)
        if binding is None:
            text = _BINDING.sub(lambda match: str((self._bound(match) or {}).get("value")), text)
            return {"jobInputType": "literal", "value": text}
        bound = self._bound(binding)
        if bound is None or declared in _LITERAL:
            return bound
        return {**bound, "jobInputType": declared, **mode}

    def _bound(self, binding: re.Match[str]) -> Body | None:
        """Return what a binding names; None for an optional input that nobody has given."""
        name, step, output = binding.groups()
        found: Body = (self._pipeline.get("inputs") or {}) if name else self._outputs[step]
        return found.get(name or output)


def _command(spec: Mapping[str, Any], node: Mapping[str, Any]) -> Body:
    variables = (spec.get("environment_variables"), node.get("environment_variables"))
    return {
        "command": spec.get("command"),
        "codeId": spec.get("code"),
        "environmentId": node.get("environment") or spec.get("environment"),
        "environmentVariables": {**(variables[0] or {}), **(variables[1] or {})},
        "distribution": node.get("distribution") or spec.get("distribution"),
        "resources": node.get("resources") or spec.get("resources"),
    }


def _outputs(given: Mapping[str, Any], declared: Mapping[str, Any]) -> Body:
    found = {}
    for key, declaration in declared.items():
        named = given.get(key) or {}
        found[key] = {
            "jobOutputType": declaration.get("type", "uri_folder"),
            "assetName": named.get("name"),
            "assetVersion": named.get("version"),
        }
    return found


def trial_body(sweep: Mapping[str, Any], values: Mapping[str, Any]) -> Body:
    """Return the properties of one trial, whose search space became inputs."""
    literals = {
        key: {"jobInputType": "literal", "value": value_text(value)}
        for key, value in values.items()
    }
    kept = ("displayName", "experimentName", "computeId")
    timeout = snake_keys(sweep.get("limits") or {}).get("trial_timeout")
    return {
        **sweep["trial"],
        **{key: sweep.get(key) for key in kept},
        "jobType": "Command",
        "command": sweep["trial"]["command"].replace("${{search_space.", "${{inputs."),
        "inputs": {**(sweep.get("inputs") or {}), **literals},
        "outputs": sweep.get("outputs") or {},
        "limits": {"timeout": timeout},
        "tags": {"hyperparameters": json.dumps(values)},
    }
