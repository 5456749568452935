"""Conditions for what an asset is made of and may change, for references, and for pipelines.

What azure-ai-ml sends of components and steps has the keys of its YAML, not of the control plane:
the source is `_to_rest_object` of `Component` and of the nodes (`entities/_component`,
`entities/_builders`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azureml_standin.clouds import ACCOUNT, storage_location
from azureml_standin.control_plane.resources import fixed, one_of, required, user_error
from azureml_standin.control_plane.workspace import ControlPlane

KINDS = ("codes", "environments", "data", "models", "components")
RUNNABLE = ("command", "pipeline", "sweep")
_TASKS = ("parallel", "spark", "import", "data_transfer", "automl", "promptflow_parallel")
_CONTROL_FLOW = ("if_else", "do_while", "parallel_for")
_NODES = (*RUNNABLE, *_TASKS, *_CONTROL_FLOW)
_BINDING = re.compile(r"\$\{\{parent\.(?:(inputs|outputs)\.([\w.]+)|jobs\.(\w+)\.\w+\.\w+)\}\}")
# What of an asset may change, and what the service sets; all else is fixed with its first PUT.
_MUTABLE = (
    *("description", "tags", "isArchived", "autoDeleteSetting", "stage"),
    *("provisioningState", "environmentType"),
)
_OWN_STORAGE = re.compile(rf"https://({ACCOUNT}\.blob\.|(127\.0\.0\.1|localhost):\d+/)")
_ASSET_ID = re.compile(
    r"(?:azureml:)?(?i:/subscriptions/[^/]+/resourceGroups/[^/]+/providers/"
    r"Microsoft\.MachineLearningServices/workspaces/[^/]+/)(\w+)/([^/]+)/versions/([^/]+)"
)
# What is in every workspace: registries of assets, and environments that Azure itself keeps up.
_REGISTRY_ID = re.compile(r"azureml://registries/[^/]+/(environments|components|codes)/[^/]+/.+")
_CURATED = re.compile(
    r"azureml:AzureML-[^:@/]+[:@][^:@/]+|/.*/environments/AzureML-[^/]+/versions/.+"
)
_COMPUTE_ID = re.compile(r"(?i:.*/workspaces/[^/]+/computes/)([^/]+)")
_REFERENCE = re.compile(r"\$\{\{\s*(inputs|outputs|search_space)\.(\w+)\s*\}\}")
_OPTIONAL_PART = re.compile(r"\$\[\[.*?\]\]", re.DOTALL)


class References:
    def __init__(self, control: ControlPlane) -> None:
        self.state = control.state
        self._control = control

    def version(self, id_: str) -> dict[str, Any] | None:
        """Return the version of an asset that an id names; None for one that does not exist."""
        match = _ASSET_ID.fullmatch(id_)
        return self.state.document(match[1], f"{match[2]}/{match[3]}") if match else None

    def check_asset(self, id_: Any, kind: str) -> None:
        id_ = str(id_)
        if _REGISTRY_ID.fullmatch(id_) or kind == "environments" and _CURATED.match(id_):
            return
        match = _ASSET_ID.fullmatch(id_)
        if match is None or match[1] != kind:
            raise user_error(f"'{id_}' is not an address of {kind}.")
        if self.version(id_) is None:
            raise user_error(f"{kind}/{match[2]} version {match[3]} was not found.")

    def check_compute(self, id_: Any) -> None:
        """`serverless` is no compute of the workspace; an expression is known to its pipeline."""
        if not id_ or id_ == "serverless" or str(id_).startswith("${{"):
            return
        match = _COMPUTE_ID.fullmatch(str(id_))
        if match is None or match[1] not in self._control.computes:
            raise user_error(f"Unknown compute target '{id_}'.")

    def check_command(
        self, content: Mapping[str, Any], declared: Mapping[str, Any], suffix: str = ""
    ) -> None:
        """Check a command with its code and environment; `suffix` is `Id` in bodies of jobs.

        declared: what `${{inputs.x}}`, `${{outputs.x}}`, `${{search_space.x}}` may name.
        """
        command = required(content, "command")
        self.check_asset(required(content, f"environment{suffix}"), "environments")
        if content.get(f"code{suffix}"):
            self.check_asset(content[f"code{suffix}"], "codes")
        for group, name in _REFERENCE.findall(_OPTIONAL_PART.sub("", command)):
            if name not in (declared.get(group) or {}):
                raise user_error(f"The command names {group}.{name}, which is not declared.")


def check_asset(kind: str, properties: Mapping[str, Any], references: References) -> None:
    """Raise `HttpError` for properties that no version of this kind can have."""
    if kind == "codes":
        uri = required(properties, "codeUri")
        location = storage_location(uri)
        if location is None or not references.state.has_container(location[0]):
            raise user_error(f"properties.codeUri is no container of this workspace: {uri}")
    elif kind == "environments":
        image, build = properties.get("image"), properties.get("build")
        if bool(image) == bool(build):
            raise user_error("An environment has either 'image' or 'build'.")
        if build:
            required(build, "contextUri")
            if properties.get("condaFile"):
                raise user_error("'condaFile' needs 'image', not 'build'.")
    elif kind == "data":
        one_of(properties, "dataType", ("uri_file", "uri_folder", "mltable"))
        required(properties, "dataUri")
    elif kind == "models":
        required(properties, "modelUri")
    else:
        _check_component(properties, references)


def check_version_unchanged(
    present: Mapping[str, Any], properties: Mapping[str, Any], version: str
) -> None:
    """Raise `HttpError` where a PUT would change what an existing version is.

    azure-ai-ml knows the answer for code, `(UserError) Asset paths cannot be updated.`
    (`_artifacts/_constants.py`), and calls versions immutable throughout.
    """
    if _comparable(fixed(present, _MUTABLE)) == _comparable(fixed(properties, _MUTABLE)):
        return
    if version.startswith("codes/"):
        raise user_error("Asset paths cannot be updated.")
    raise user_error(f"{version} exists, and versions are immutable.", 409)


def _comparable(value: Any) -> Any:
    """Return a value in which addresses in our storage are container and path.

    The service has another port after a new start, and is still the same.
    """
    if isinstance(value, dict):
        return {key: _comparable(each) for key, each in value.items()}
    if isinstance(value, str) and _OWN_STORAGE.match(value):
        return storage_location(value)
    return value


def _check_component(properties: Mapping[str, Any], references: References) -> None:
    spec = required(properties, "componentSpec", dict)
    for group in ("inputs", "outputs"):
        for name, given in (spec.get(group) or {}).items():
            if not isinstance(given, dict) or not given.get("type"):
                raise user_error(f"componentSpec.{group}.{name}.type is required.")
    kind = one_of(spec, "type", _NODES)
    if kind == "command":
        references.check_command(spec, spec)
    elif kind == "pipeline":
        check_steps(spec, references)
    elif kind in ("parallel", "spark"):
        task = required(spec, "task", dict) if kind == "parallel" else spec
        references.check_asset(required(task, "code"), "codes")


def check_steps(pipeline: Mapping[str, Any], references: References) -> None:
    """Raise `HttpError` for the `jobs` of a pipeline job, or of a component, that cannot run.

    In place of steps a job may name a component by `componentId`.
    """
    if pipeline.get("componentId"):
        references.check_asset(pipeline["componentId"], "components")
        return
    steps = required(pipeline, "jobs", dict)
    for name, step in steps.items():
        kind = one_of(step, "type", _NODES)
        references.check_compute(step.get("computeId"))
        given = [*(step.get("inputs") or {}).values(), *(step.get("outputs") or {}).values()]
        values = [str(each.get("value")) for each in given if isinstance(each, dict)]
        for binding in _BINDING.finditer(" ".join(values)):
            group, key, other = binding.groups()
            known = steps if other else pipeline.get(group) or {}
            # `a.b` is the parameter b of the group a.
            if not {other, key, (key or "").partition(".")[0]} & set(known):
                raise user_error(f"jobs.{name}: there is nothing at {binding[0]}.")
        if kind in _CONTROL_FLOW or kind == "automl":
            continue
        holder = required(step, "trial", dict) if kind == "sweep" else step
        component = required(holder, "componentId")
        references.check_asset(component, "components")
        found = references.version(component)
        if found:
            _check_inputs(name, step, found["properties"]["componentSpec"])


def _check_inputs(name: str, step: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    """Check that a step gives what its component needs, and nothing else."""
    declared = spec.get("inputs") or {}
    given = {*(step.get("inputs") or {}), *(step.get("search_space") or {})}
    for key in sorted({each.partition(".")[0] for each in given} - set(declared)):
        raise user_error(f"jobs.{name}: its component has no input {key}.")
    for key, declaration in declared.items():
        is_needed = not declaration.get("optional") and declaration.get("default") is None
        if is_needed and declaration["type"] != "group" and key not in given:
            raise user_error(f"jobs.{name}: the required input {key} is missing.")
