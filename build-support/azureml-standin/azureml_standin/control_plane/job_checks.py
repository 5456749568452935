"""Conditions for what a job is made of, and for what of it may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_standin.control_plane import resources
from azureml_standin.control_plane.component_checks import check_steps
from azureml_standin.control_plane.references import References

# What of a job may change (https://learn.microsoft.com/rest/api/azureml/jobs).
MUTABLE = frozenset({"displayName", "description", "tags", "properties", "isArchived"})
# What the service adds; a client that sends a job which it read sends it back.
_SERVICE_SET = frozenset({"status", "services", "parentJobName"})
DEFAULT_OUTPUT = "default"
# What a job of each type has to have.
_REQUIRED = {
    "Command": (),
    "Sweep": ("searchSpace", "samplingAlgorithm", "objective", "trial"),
    "Pipeline": (),
    "Spark": ("entry",),
    "AutoML": ("taskDetails",),
    "FineTuning": ("fineTuningDetails",),
}
_SAMPLING = ("Grid", "Random", "Bayesian")
_POLICIES = ("Bandit", "MedianStopping", "TruncationSelection")
_PATH_TYPES = ("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model")


def check_job(properties: Mapping[str, Any], references: References) -> None:
    """Raise `HttpError` for properties that no job can have."""
    kind = resources.one_of(properties, "jobType", tuple(_REQUIRED))
    for key in ("tags", "properties", "environmentVariables"):
        resources.texts(properties, key)
    references.check_compute(properties.get("computeId"))
    _check_types(properties)
    for key in _REQUIRED[kind]:
        resources.required(properties, key, dict)
    if kind == "Command":
        references.check_command(properties, properties, "Id")
    elif kind == "Sweep":
        _check_sweep(properties, references)
    elif kind == "Pipeline":
        references.check_compute((properties.get("settings") or {}).get("default_compute"))
        check_steps(properties, references)
    elif kind == "Spark":
        references.check_asset(resources.required(properties, "codeId"), "codes")
    elif kind == "AutoML":
        _check_data(properties["taskDetails"], "trainingData")
    elif kind == "FineTuning":
        _check_data(properties["fineTuningDetails"], "model", "trainingData")


def _check_sweep(properties: Mapping[str, Any], references: References) -> None:
    for name, given in properties["searchSpace"].items():
        # Such as `["uniform", [0.1, 1]]`.
        if not (isinstance(given, list) and len(given) == 2 and isinstance(given[1], list)):
            raise resources.user_error(f"properties.searchSpace.{name} is invalid.")
    resources.one_of(properties["samplingAlgorithm"], "samplingAlgorithmType", _SAMPLING)
    resources.required(properties["objective"], "primaryMetric")
    resources.one_of(properties["objective"], "goal", ("minimize", "maximize"))
    if properties.get("earlyTermination"):
        resources.one_of(properties["earlyTermination"], "policyType", _POLICIES)
    declared = {**properties, "search_space": properties["searchSpace"]}
    references.check_command(properties["trial"], declared, "Id")


def _check_data(details: Mapping[str, Any], *keys: str) -> None:
    resources.required(details, "taskType")
    for key in keys:
        _check_types({"inputs": {key: resources.required(details, key, dict)}})


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
