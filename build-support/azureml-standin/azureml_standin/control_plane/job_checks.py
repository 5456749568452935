"""Conditions for what a job is made of, and for what of it may change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azureml_standin.control_plane import resources
from azureml_standin.control_plane.assets import Assets
from azureml_standin.control_plane.workspace import ControlPlane

# What of a job may change (https://learn.microsoft.com/rest/api/azureml/jobs).
MUTABLE = frozenset({"displayName", "description", "tags", "properties", "isArchived"})
# What the service adds; a client that sends a job which it read sends it back.
_SERVICE_SET = frozenset({"status", "services", "parentJobName"})
DEFAULT_OUTPUT = "default"
_JOB_TYPES = ("Command", "Sweep", "Pipeline", "Spark", "AutoML")
_PATH_TYPES = ("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model")
_ASSET_ID = re.compile(
    r"(?i:/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearningServices"
    r"/workspaces/[^/]+/)(codes|environments)/([^/]+)/versions/([^/]+)"
)
_REGISTRY_ID = re.compile(r"azureml://registries/[^/]+/(environments|components)/[^/]+/.+")
_COMPUTE_ID = re.compile(r"(?i:.*/workspaces/[^/]+/computes/)([^/]+)")
_REFERENCE = re.compile(r"\$\{\{\s*(inputs|outputs)\.(\w+)\s*\}\}")
_OPTIONAL_PART = re.compile(r"\$\[\[.*?\]\]", re.DOTALL)


class JobChecks:
    def __init__(self, control: ControlPlane, assets: Assets) -> None:
        self._control = control
        self._assets = assets

    def check(self, properties: Mapping[str, Any]) -> None:
        kind = resources.one_of(properties, "jobType", _JOB_TYPES)
        for key in ("tags", "properties", "environmentVariables"):
            resources.texts(properties, key)
        compute = properties.get("computeId")
        if compute:
            match = _COMPUTE_ID.fullmatch(compute)
            if match is None or not self._control.has_compute(match[1]):
                raise resources.user_error(f"Unknown compute target '{compute}'.")
        _check_types(properties)
        if kind == "Command":
            self._check_command(properties)
        elif kind == "Sweep":
            for key in ("searchSpace", "samplingAlgorithm", "objective", "trial"):
                resources.required(properties, key, dict)
        elif kind == "Pipeline":
            resources.required(properties, "jobs", dict)

    def _check_command(self, properties: Mapping[str, Any]) -> None:
        command = resources.required(properties, "command")
        self._check_asset(resources.required(properties, "environmentId"), "environments")
        if properties.get("codeId"):
            self._check_asset(properties["codeId"], "codes")
        for group, name in _REFERENCE.findall(_OPTIONAL_PART.sub("", command)):
            if name not in (properties.get(group) or {}):
                raise resources.user_error(
                    f"The command names {group}.{name}, which is not declared."
                )

    def _check_asset(self, id_: str, kind: str) -> None:
        if _REGISTRY_ID.fullmatch(id_):
            return
        match = _ASSET_ID.fullmatch(id_)
        if match is None or match[1] != kind:
            raise resources.user_error(f"'{id_}' is not an address of {kind}.")
        # Environments that Azure itself keeps up are in every workspace.
        if kind == "environments" and match[2].startswith("AzureML-"):
            return
        if not self._assets.version(kind, match[2], match[3]):
            raise resources.user_error(f"{kind}/{match[2]} version {match[3]} was not found.")


def _check_types(properties: Mapping[str, Any]) -> None:
    for group, key in (("inputs", "jobInputType"), ("outputs", "jobOutputType")):
        for name, given in (properties.get(group) or {}).items():
            kinds = ("literal", *_PATH_TYPES) if group == "inputs" else _PATH_TYPES
            if not isinstance(given, dict) or given.get(key) not in kinds:
                raise resources.user_error(f"properties.{group}.{name}.{key} is invalid.")


def check_unchanged(present: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    """Raise `HttpError` where a PUT would change what a job is: a job is made once.

    Source of the words: https://github.com/Azure/azure-sdk-for-python/pull/47389
    """

    def fixed(content: Mapping[str, Any]) -> dict[str, Any]:
        found = {
            key: value
            for key, value in content.items()
            if key not in MUTABLE | _SERVICE_SET and value not in (None, {}, [], "")
        }
        outputs = {k: v for k, v in (content.get("outputs") or {}).items() if k != DEFAULT_OUTPUT}
        found.pop("outputs", None)
        found.setdefault("experimentName", "Default")
        return {**found, "outputs": outputs} if outputs else found

    before, after = fixed(present), fixed(properties)
    if before != after:
        changed = sorted(k for k in {*before, *after} if before.get(k) != after.get(k))
        raise resources.user_error(
            "A job with this name already exists. If you are trying to create a new job, use a "
            "different name. If you are trying to update an existing job, the existing job's "
            f"{', '.join(changed)} cannot be changed. Only description, tags, displayName, "
            "properties, and isArchived can be updated."
        )
