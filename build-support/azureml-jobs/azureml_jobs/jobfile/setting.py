"""One setting of the command line, `key.path=value`, and the value that the schema makes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import yaml
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.schema.node import SchemaNode

# Longer ones are no numbers that a job counts, and Python refuses to convert very long ones.
INTEGER = re.compile(r"[-+]?[0-9]{1,18}(?:_[0-9]{1,3}){0,5}")

# A `\.` is a dot within a key, as in azure-ai-ml.
_DOT = re.compile(r"(?<!\\)\.")
_INDEX = re.compile(r"\[([0-9]+)\]")
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}


class RefusedSetting(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


@dataclass(frozen=True)
class Setting:
    """`text` is the whole setting as the user wrote it; `steps` are the parts of its key."""

    text: str
    steps: Sequence[str]
    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        key, equals, value = text.partition("=")
        steps = [step.replace("\\.", ".") for step in _DOT.split(_INDEX.sub(r".\1", key.strip()))]
        setting = cls(text, steps, value)
        if not equals:
            remedy = f"Write `--set {text or 'KEY'}=VALUE`."
            raise setting.refuse("there is no `=`", remedy, steps=())
        if not all(steps):
            remedy = "Write for example `--set inputs.epochs=5`."
            raise setting.refuse("a part of the key is empty", remedy, steps=())
        return setting

    def refuse(self, what: str, remedy: str, steps: Sequence[str] | None = None) -> RefusedSetting:
        """Return the error to raise; `steps` lead to what is wrong, by default the whole key."""
        key_path = ".".join(self.steps if steps is None else steps)
        return RefusedSetting(Finding(key_path, f"`--set {self.text}`: {what}", remedy))

    def example(self, value: object) -> str:
        return f"`--set {'.'.join(self.steps)}={value}`"

    def converted(self, node: SchemaNode, old: Any) -> Any:
        """Return the value to store at `node`, in place of `old`."""
        kinds, text = node.kinds, self.value
        if node.is_literal and isinstance(old, str):
            return text
        if node.takes_mapping and text.lstrip().startswith("{"):
            return self._structure()
        if node.takes_list and text.lstrip().startswith("["):
            return self._structure()
        if node.takes_mapping and isinstance(old, dict) and node.is_literal:
            what = "this input is data, and a plain value would make it a literal"
            raise self.refuse(what, f"Write `--set {'.'.join(self.steps)}.path={text}`.")
        if "${{" in text and ("binding" in kinds or node.is_literal) or text in node.choices:
            return text
        if node.choices and kinds <= {"choice", "binding"}:
            return self._choice(node.choices)
        if node.is_literal:
            return self._literal(old)
        if "number" in kinds:
            return self._number(0.5)
        if "integer" in kinds:
            return self._integer(old)
        if "boolean" in kinds:
            return self._boolean()
        if not kinds:
            raise self._expects_structure(node)
        return _scalar(text) if "any" in kinds else text

    def _expects_structure(self, node: SchemaNode) -> RefusedSetting:
        example = "[a, b]" if node.takes_list else "{KEY: VALUE}"
        expected = "a list" if node.takes_list else "keys and values"
        key_path = ".".join(self.steps)
        remedy = f"Write `--set '{key_path}={example}'`"
        if node.takes_mapping:
            key = (*node.keys(), "KEY")[0]
            remedy += f", or set one key: `--set {key_path}.{key}=VALUE`"
        return self.refuse(f"expects {expected}", f"{remedy}.")

    def _structure(self) -> Any:
        try:
            return yaml.safe_load(self.value)
        except (yaml.YAMLError, ValueError) as error:
            raise self.refuse(
                f"the value is not valid YAML: {' '.join(str(error).split())}",
                "Write for example `{a: 1, b: text}` or `[a, b]`, in quotes for the shell.",
            ) from None

    def _choice(self, choices: Sequence[str]) -> str:
        text = self.value
        if text.lower().replace("_", "") in (choice.replace("_", "") for choice in choices):
            return text
        raise self.refuse(f"`{text}` is not valid here", suggestion(text, choices))

    def _literal(self, old: Any) -> Any:
        """Return a value of the type of the literal that it replaces."""
        if isinstance(old, bool):
            return self._boolean()
        if isinstance(old, int):
            return self._integer(old)
        if isinstance(old, float):
            return self._number(old, f", as the job file has `{old}` there")
        return _scalar(self.value)

    def _integer(self, old: Any) -> int:
        if INTEGER.fullmatch(self.value.strip()):
            return int(self.value)
        remedy = self._sweep_instead() or f"Write for example {self.example(2)}."
        is_input = self.steps[-2:-1] == ["inputs"]
        if is_input and _number(self.value) is not None:
            remedy = f"To allow fractions, write `{self.steps[-1]}: {old}.0` in the job file."
        because = f", as the job file has `{old}` there" if is_input else ""
        raise self.refuse(f"expects an integer{because}", remedy)

    def _number(self, example: float, because: str = "") -> float:
        number = _number(self.value)
        if number is None:
            remedy = self._sweep_instead() or f"Write for example {self.example(example)}."
            raise self.refuse(f"expects a number{because}", remedy)
        return int(number) if INTEGER.fullmatch(self.value.strip()) and not because else number

    def _boolean(self) -> bool:
        found = _BOOLEANS.get(self.value.strip().lower())
        if found is None:
            remedy = f"Write for example {self.example('true')}."
            raise self.refuse("expects `true` or `false`", remedy)
        return found

    def _sweep_instead(self) -> str | None:
        """Return what to write for several values of an input."""
        values = self.value.strip(" []").split(",")
        if len(values) < 2 or any(_number(value) is None for value in values):
            return None
        listed, name = ", ".join(value.strip() for value in values), self.steps[-1]
        return (
            "One job has one value. For several, write a job file of `type: sweep`, with\n"
            f"`search_space: {{{name}: {{type: choice, values: [{listed}]}}}}`."
        )


def _scalar(text: str) -> Any:
    """Return the number or boolean that YAML reads in `text`, or else the text itself."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    return value if isinstance(value, (bool, int, float)) else text


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
