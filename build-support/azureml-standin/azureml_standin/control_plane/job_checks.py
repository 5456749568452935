"""Conditions for what a job is made of, and for what of it may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azureml_standin.control_plane.asset_checks import References, check_steps
from azureml_standin.control_plane.resources import fixed, one_of, required, texts, user_error

# What of a job may change (https://learn.microsoft.com/rest/api/azureml/jobs).
MUTABLE = frozenset({"displayName", "description", "tags", "properties", "isArchived"})
# What the service adds; a client that sends a job which it read sends it back.
_SERVICE_SET = frozenset({"status", "services", "parentJobName"})
DEFAULT_OUTPUT = "default"
_KINDS = ("Command", "Sweep", "Pipeline", "Spark", "AutoML", "FineTuning")
_SAMPLING = ("Grid", "Random", "Bayesian")
_POLICIES = ("Bandit", "MedianStopping", "TruncationSelection")
_PATH_TYPES = ("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model")


def check_job(properties: Mapping[str, Any], references: References) -> None:
    """Raise `HttpError` for properties that no job can have."""
    kind = one_of(properties, "jobType", _KINDS)
    for key in ("tags", "properties", "environmentVariables"):
        texts(properties, key)
    references.check_compute(properties.get("computeId"))
    _check_types(properties)
    if kind == "Command":
        references.check_command(properties, properties, "Id")
    elif kind == "Sweep":
        _check_sweep(properties, references)
    elif kind == "Pipeline":
        references.check_compute((properties.get("settings") or {}).get("default_compute"))
        check_steps(properties, references)
    elif kind == "Spark":
        required(properties, "entry", dict)
        references.check_asset(required(properties, "codeId"), "codes")
    elif kind == "AutoML":
        _check_data(required(properties, "taskDetails", dict), "trainingData")
    else:
        _check_data(required(properties, "fineTuningDetails", dict), "model", "trainingData")


def _check_sweep(properties: Mapping[str, Any], references: References) -> None:
    space = required(properties, "searchSpace", dict)
    for name, given in space.items():
        # Such as `["uniform", [0.1, 1]]`.
        if not (isinstance(given, list) and len(given) == 2 and isinstance(given[1], list)):
            raise user_error(f"properties.searchSpace.{name} is invalid.")
    sampling = required(properties, "samplingAlgorithm", dict)
    one_of(sampling, "samplingAlgorithmType", _SAMPLING)
    objective = required(properties, "objective", dict)
    required(objective, "primaryMetric")
    one_of(objective, "goal", ("minimize", "maximize"))
    if properties.get("earlyTermination"):
        one_of(properties["earlyTermination"], "policyType", _POLICIES)
    trial = required(properties, "trial", dict)
    references.check_command(trial, {**properties, "search_space": space}, "Id")


def _check_data(details: Mapping[str, Any], *keys: str) -> None:
    required(details, "taskType")
    for key in keys:
        _check_types({"inputs": {key: required(details, key, dict)}})


def _check_types(properties: Mapping[str, Any]) -> None:
    for group, key in (("inputs", "jobInputType"), ("outputs", "jobOutputType")):
        kinds = ("literal", *_PATH_TYPES) if group == "inputs" else _PATH_TYPES
        for name, given in (properties.get(group) or {}).items():
            if not isinstance(given, dict) or given.get(key) not in kinds:
                raise user_error(f"properties.{group}.{name}.{key} is invalid.")


def check_unchanged(present: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    """Raise `HttpError` where a PUT would change what a job is: a job is made once.

    Source of the words: https://github.com/Azure/azure-sdk-for-python/pull/47389
    """
    before, after = _fixed(present), _fixed(properties)
    if before != after:
        changed = sorted(k for k in {*before, *after} if before.get(k) != after.get(k))
        raise user_error(
            "A job with this name already exists. If you are trying to create a new job, use a "
            "different name. If you are trying to update an existing job, the existing job's "
            f"{', '.join(changed)} cannot be changed. Only description, tags, displayName, "
            "properties, and isArchived can be updated."
        )


def _fixed(content: Mapping[str, Any]) -> dict[str, Any]:
    outputs = {k: v for k, v in (content.get("outputs") or {}).items() if k != DEFAULT_OUTPUT}
    given = {"experimentName": "Default", **content, "outputs": outputs}
    return fixed(given, MUTABLE | _SERVICE_SET)
