"""Convert the value of a setting to the type that the schema, or the value it replaces, has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import yaml
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.schema.node import SchemaNode
from azureml_jobs.jobfile.setting import INTEGER, RefusedSetting, Setting

_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}


def convert_value(setting: Setting, node: SchemaNode, old: Any) -> Any:
    """Return the value to store at `node`, in place of `old`."""
    kinds, text = node.kinds, setting.value
    if node.is_literal and isinstance(old, str):
        return text
    if (node.takes_mapping and text.lstrip().startswith("{")) or (
        node.takes_list and text.lstrip().startswith("[")
    ):
        return _structure(setting)
    if node.takes_mapping and isinstance(old, dict) and node.is_literal:
        raise setting.refuse(
            "this input is data, and a plain value would make it a literal",
            f"Write `--set {setting.key_path}.path={text}`.",
        )
    if "${{" in text and ("binding" in kinds or node.is_literal) or text in node.choices:
        return text
    if node.choices and kinds <= {"choice", "binding"}:
        return _choice(setting, node.choices)
    if node.is_literal:
        return _literal(setting, old)
    if "number" in kinds:
        return _fraction(setting, 0.5)
    if "integer" in kinds:
        return _integer(setting, old)
    if "boolean" in kinds:
        return _boolean(setting)
    if "any" in kinds:
        return _scalar(text)
    if kinds:
        return text
    raise _expects_structure(setting, node)


def _expects_structure(setting: Setting, node: SchemaNode) -> RefusedSetting:
    example = "[a, b]" if node.takes_list else "{KEY: VALUE}"
    expected = "a list" if node.takes_list else "keys and values"
    remedy = f"Write `--set '{setting.key_path}={example}'`"
    if node.takes_mapping:
        key = (*node.keys(), "KEY")[0]
        remedy += f", or set one key: `--set {setting.key_path}.{key}=VALUE`"
    return setting.refuse(f"expects {expected}", f"{remedy}.")


def _structure(setting: Setting) -> Any:
    try:
        return yaml.safe_load(setting.value)
    except (yaml.YAMLError, ValueError) as error:
        raise setting.refuse(
            f"the value is not valid YAML: {' '.join(str(error).split())}",
            "Write for example `{a: 1, b: text}` or `[a, b]`, in quotes for the shell.",
        ) from None


def _choice(setting: Setting, choices: Sequence[str]) -> str:
    text = setting.value
    if text.lower().replace("_", "") in (choice.replace("_", "") for choice in choices):
        return text
    raise setting.refuse(f"`{text}` is not valid here", suggestion(text, choices))


def _literal(setting: Setting, old: Any) -> Any:
    if isinstance(old, bool):
        return _boolean(setting)
    if isinstance(old, int):
        return _integer(setting, old)
    if isinstance(old, float):
        return _fraction(setting, old, f", as the job file has `{old}` there")
    return _scalar(setting.value)


def _scalar(text: str) -> Any:
    """Return the number or boolean that YAML reads in `text`, or else the text itself."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    return value if isinstance(value, (bool, int, float)) else text


def _integer(setting: Setting, old: Any) -> int:
    text, steps = setting.value, setting.steps
    if INTEGER.fullmatch(text.strip()):
        return int(text)
    remedy = _sweep_instead(setting) or f"Write for example `--set {setting.key_path}=2`."
    is_input = steps[-2:-1] == ["inputs"]
    if is_input and _number(text) is not None:
        remedy = f"To allow fractions, write `{steps[-1]}: {old}.0` in the job file."
    because = f", as the job file has `{old}` there" if is_input else ""
    raise setting.refuse(f"expects an integer{because}", remedy)


def _fraction(setting: Setting, example: float, because: str = "") -> float:
    number = _number(setting.value)
    if number is None:
        remedy = f"Write for example `--set {setting.key_path}={example}`."
        raise setting.refuse(f"expects a number{because}", _sweep_instead(setting) or remedy)
    return int(number) if INTEGER.fullmatch(setting.value.strip()) and not because else number


def _sweep_instead(setting: Setting) -> str | None:
    """Return what to write for several values of an input."""
    values = setting.value.strip(" []").split(",")
    if len(values) < 2 or any(_number(value) is None for value in values):
        return None
    listed, name = ", ".join(value.strip() for value in values), setting.steps[-1]
    return (
        "One job has one value. For several, write a job file of `type: sweep`, with\n"
        f"`search_space: {{{name}: {{type: choice, values: [{listed}]}}}}`."
    )


def _boolean(setting: Setting) -> bool:
    try:
        return _BOOLEANS[setting.value.strip().lower()]
    except KeyError:
        raise setting.refuse(
            "expects `true` or `false`", f"Write for example `--set {setting.key_path}=true`."
        ) from None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
