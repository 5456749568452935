"""Changing values of a job file from the command line: `--set key.path=value`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from azureml_jobs.base.nearest import instead_of
from azureml_jobs.jobfile.expressions import references
from azureml_jobs.jobfile.findings import Finding, raise_findings
from azureml_jobs.jobfile.schema import Place, schema_of, unknown_key

# A `\.` is a dot within a key, as in azure-ai-ml.
_DOT = re.compile(r"(?<!\\)\.")
_INDEX = re.compile(r"\[([0-9]+)\]")
# Longer ones are no numbers that a job counts, and Python refuses to convert very long ones.
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}(?:_[0-9]{1,3}){0,5}")
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}


def apply_overrides(job: Mapping[str, Any], settings: Sequence[str], path: str) -> dict[str, Any]:
    """Return `job` with every setting `key.path=value` applied in order; `job` stays as it is.

    This is what `az ml job create --set` does (azure-ai-ml's `params_override`): keys are joined by
    dots, `\\.` is a dot within a key, `[0]` or `.0` an index in a list, missing levels are made.
    There every value stays text that azure-ai-ml converts later or not at all; here it becomes what
    the schema says, and for a literal input what the value was that it replaces. Mappings and lists
    are written as YAML: `--set 'tags={a: b}'`.

    Refused, though `az` would take it: a literal where an input of data stands, a value that is not
    of the type of the literal that it replaces, and an input that the job file does not declare,
    unless the command names it.

    Raises one `JobError` for all settings that are wrong.
    """
    changed: dict[str, Any] = _copy(job)
    findings = []
    for setting in settings:
        try:
            _apply(changed, setting, path)
        except _Refused as refused:
            findings.append(refused.finding)
    raise_findings(path, findings)
    return changed


class _Refused(Exception):
    def __init__(self, setting: str, steps: Sequence[str], what: str, remedy: str) -> None:
        super().__init__(what)
        self.finding = Finding(".".join(steps), f"`--set {setting}`: {what}", remedy)


def _copy(value: Any) -> Any:
    """Copy plain data; what a YAML alias made one object becomes two, so that one can change."""
    if isinstance(value, Mapping):
        return {key: _copy(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_copy(child) for child in value]
    return value


def _apply(job: dict[str, Any], setting: str, path: str) -> None:
    key_path, equals, text = setting.partition("=")
    steps = [step.replace("\\.", ".") for step in _DOT.split(_INDEX.sub(r".\1", key_path.strip()))]
    if not equals:
        raise _Refused(
            setting, (), "a setting needs a `=`", f"Write `--set {setting or 'KEY'}=VALUE`."
        )
    if not all(steps):
        raise _Refused(
            setting, (), "a part of the key is empty", "Write for example `--set inputs.epochs=5`."
        )
    schema = schema_of(job, path)
    holder: Any = job
    place = Place.root(schema)
    for depth, step in enumerate(steps):
        done = steps[: depth + 1]
        place = _next_place(job, setting, schema, holder, place, done)
        if depth == len(steps) - 1:
            old = holder[_key(holder, step)] if _has(holder, step) else None
            _store(holder, step, _value(setting, steps, place, old, text))
        else:
            if not _has(holder, step):
                _store(holder, step, [] if place.takes_list and not place.takes_mapping else {})
            inner = holder[_key(holder, step)]
            if inner is None:
                # `outputs: {model:}` declares an output by its name alone.
                inner = {}
                _store(holder, step, inner)
            if not isinstance(inner, (dict, list)):
                raise _Refused(
                    setting,
                    done,
                    f"`{'.'.join(done)}` is `{inner}`, which has no keys",
                    f"Replace it as a whole: `--set {'.'.join(done)}=VALUE`.",
                )
            holder = inner


def _next_place(
    job: Mapping[str, Any],
    setting: str,
    schema: Mapping[str, Any],
    holder: Any,
    place: Place,
    done: Sequence[str],
) -> Place:
    *parents, step = done
    if isinstance(holder, list):
        found = place.item() or place
        if not _INTEGER.fullmatch(step) or not 0 <= int(step) <= len(holder):
            raise _Refused(
                setting,
                parents,
                f"this is a list of {len(holder)}, and `{step}` is no index in it",
                f"Write a number from 0 to {len(holder)}.",
            )
        return found
    known = place.child(step)
    if known is not None and known.is_read_only:
        raise _Refused(setting, done, f"Azure ML sets `{step}` itself", "Leave this setting out.")
    if known is None:
        if place.kinds & {"any", "variable"}:
            return place
        finding = unknown_key(schema, parents, step, place.keys())
        raise _Refused(setting, done, finding.what, finding.remedy)
    if list(parents) == ["inputs"] and step not in holder:
        _refuse_unknown_input(job, setting, done)
    return known


def _refuse_unknown_input(job: Mapping[str, Any], setting: str, done: Sequence[str]) -> None:
    name = done[-1]
    command = str(job.get("command", ""))
    if any(found.group == "inputs" and found.name == name for found in references(command)):
        return
    raise _Refused(
        setting,
        done,
        f"the job has no input `{name}`, and its command does not name it",
        instead_of(name, [str(key) for key in job.get("inputs") or ()], none="It has no inputs."),
    )


def _has(holder: dict[str, Any] | list[Any], step: str) -> bool:
    return int(step) < len(holder) if isinstance(holder, list) else step in holder


def _key(holder: dict[str, Any] | list[Any], step: str) -> Any:
    return int(step) if isinstance(holder, list) else step


def _store(holder: Any, step: str, value: Any) -> None:
    if isinstance(holder, list) and int(step) == len(holder):
        holder.append(value)
    else:
        holder[_key(holder, step)] = value


# Values.


def _value(setting: str, steps: Sequence[str], place: Place, old: Any, text: str) -> Any:
    kinds = place.kinds
    if "literal" in kinds and isinstance(old, str):
        return text
    if (place.takes_mapping and text.lstrip().startswith("{")) or (
        place.takes_list and text.lstrip().startswith("[")
    ):
        return _structure(setting, steps, text)
    if place.takes_mapping and isinstance(old, dict) and "literal" in kinds:
        raise _Refused(
            setting,
            steps,
            "this input is data, and a plain value would make it a literal",
            f"Write `--set {'.'.join(steps)}.path={text}`.",
        )
    if place.choices:
        return _choice(setting, steps, place.choices, text)
    if "literal" in kinds:
        return _literal(setting, steps, old, text)
    if "integer" in kinds:
        return _integer(setting, steps, old, text)
    if "boolean" in kinds:
        return _boolean(setting, steps, text)
    if "any" in kinds:
        return _scalar(text)
    if kinds:
        return text
    example = "[a, b]" if place.takes_list else "{KEY: VALUE}"
    expected = "a list" if place.takes_list else "keys and values"
    remedy = f"Write `--set '{'.'.join(steps)}={example}'`"
    if place.takes_mapping:
        keys = place.keys()
        inner = keys[0] if keys else "KEY"
        remedy += f", or set one key: `--set {'.'.join(steps)}.{inner}=VALUE`"
    raise _Refused(setting, steps, f"expects {expected}", f"{remedy}.")


def _structure(setting: str, steps: Sequence[str], text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise _Refused(
            setting,
            steps,
            f"the value is not valid YAML: {' '.join(str(error).split())}",
            "Write for example `{a: 1, b: text}` or `[a, b]`, in quotes for the shell.",
        ) from None


def _choice(setting: str, steps: Sequence[str], choices: Sequence[str], text: str) -> str:
    if text.lower().replace("_", "") in (choice.replace("_", "") for choice in choices):
        return text
    raise _Refused(
        setting, steps, f"`{text}` is not valid here", instead_of(text, choices, none="")
    )


def _literal(setting: str, steps: Sequence[str], old: Any, text: str) -> Any:
    if isinstance(old, bool):
        return _boolean(setting, steps, text)
    if isinstance(old, int):
        return _integer(setting, steps, old, text)
    if isinstance(old, float):
        number = _number(text)
        if number is None:
            raise _Refused(
                setting,
                steps,
                f"expects a number, as the job file has `{old}` there",
                f"Write for example `--set {'.'.join(steps)}={old}`.",
            )
        return number
    return _scalar(text)


def _scalar(text: str) -> Any:
    """Return the number or boolean that YAML reads in `text`, or else the text itself."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    return value if isinstance(value, (bool, int, float)) else text


def _integer(setting: str, steps: Sequence[str], old: Any, text: str) -> int:
    if _INTEGER.fullmatch(text.strip()):
        return int(text)
    place = ".".join(steps)
    remedy = f"Write for example `--set {place}=2`."
    if steps[0] == "inputs" and _number(text) is not None:
        remedy = f"To allow fractions, write `{steps[1]}: {old}.0` in the job file."
    because = f", as the job file has `{old}` there" if steps[0] == "inputs" else ""
    raise _Refused(setting, steps, f"expects an integer{because}", remedy)


def _boolean(setting: str, steps: Sequence[str], text: str) -> bool:
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise _Refused(
            setting,
            steps,
            "expects `true` or `false`",
            f"Write for example `--set {'.'.join(steps)}=true`.",
        ) from None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
