"""Check a job against the schema of its type."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from azureml_jobs.jobfile.findings import Finding, raise_findings
from azureml_jobs.jobfile.schema.load import schema_of
from azureml_jobs.jobfile.schema.messages import findings_of_error, key_that_is_no_text


def check_schema(job: Mapping[str, Any], path: str) -> None:
    """Raise a `JobError` that lists all `schema_findings`."""
    raise_findings(path, schema_findings(job, path))


def schema_findings(job: Mapping[str, Any], path: str) -> list[Finding]:
    """Return everything in the job that azure-ai-ml would refuse, too.

    Raises `JobError` for a type of job that has no schema here.

    One thing is refused that azure-ai-ml takes: a key of `environment_variables` that is no text,
    because YAML reads a variable named `ON` or `NO` as a boolean, which would be sent as `True`.
    """
    schema = schema_of(job, path)
    findings = list(_keys_that_are_no_text(job, ""))
    if not findings:
        # jsonschema takes 0.1 s to import, and most commands of the plugin do without it.
        import jsonschema

        validator = _validator_class(jsonschema)(schema)
        errors = sorted(validator.iter_errors(job), key=_position_in(job))
        found = (finding for error in errors for finding in findings_of_error(error, schema))
        findings = list(dict.fromkeys(found))
    return findings


def _validator_class(jsonschema: Any) -> Any:
    """Return a validator with the keyword `choices`, and without NaN among numbers."""
    base = jsonschema.Draft202012Validator

    def choices(validator: Any, values: list[str], instance: Any, schema: Any) -> Iterator[Any]:
        if isinstance(instance, str) and _snake(instance, schema) not in values:
            yield jsonschema.ValidationError(f"{instance!r} is none of {values!r}")

    def is_number(checker: Any, instance: Any) -> bool:
        if isinstance(instance, bool) or not isinstance(instance, (int, float)):
            return False
        return math.isfinite(instance)

    return jsonschema.validators.extend(
        base, {"choices": choices}, type_checker=base.TYPE_CHECKER.redefine("number", is_number)
    )


def _snake(text: str, schema: Mapping[str, Any]) -> str:
    """Return `text` as azure-ai-ml compares it with the values that it allows."""
    if schema.get("camel"):
        text = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", text)
        text = re.sub("([a-z0-9])([A-Z])", r"\1_\2", text)
    return text.lower()


def _keys_that_are_no_text(value: Any, where: str) -> Iterator[Finding]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            key_path = f"{where}.{key}" if where else str(key)
            # Such keys are right within conda packages, whose content is not Azure ML's.
            if key_path == "environment.conda_file":
                continue
            if not isinstance(key, str):
                yield key_that_is_no_text(key_path, key)
            yield from _keys_that_are_no_text(child, key_path)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _keys_that_are_no_text(child, f"{where}.{index}")


def _position_in(job: Mapping[str, Any]) -> Any:
    """Return a sort key that puts errors in the order of their keys in the file."""

    def position(error: Any) -> tuple[int, ...]:
        found = []
        value: Any = job
        for step in error.absolute_path:
            found.append(list(value).index(step) if isinstance(value, Mapping) else step)
            value = value[step]
        return tuple(found)

    return position
