"""Read where the value of an input comes from: `${{parent.inputs.x}}` and its like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Union

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.pipeline.model import (
    Binding,
    Literal,
    OutputDeclaration,
    ParentInput,
    StepOutput,
)

_EXPRESSION = re.compile(r"\$\{\{\s*(\S+?)\s*\}\}")
_OLD_FORM = re.compile(r"\$\{\{(inputs|jobs)\.[^}]+\}\}")
_STEP_OUTPUT = re.compile(r"parent\.jobs\.([^.]+)\.outputs\.(.+)")


Named = Union[Literal, ParentInput, StepOutput]


@dataclass(frozen=True)
class Scope:
    """What the steps of one pipeline can name.

    inputs: the values of the pipeline's inputs, None for an optional one that has none.
    outputs: the names of the outputs of each step, None where they are not known.
    """

    inputs: Mapping[str, Binding | None]
    outputs: Mapping[str, Mapping[str, OutputDeclaration] | None]

    def binding(self, text: str, where: str) -> Named | None:
        """Return what the text stands for, None for an optional input that is not given.

        Raises `JobError` for a name that is not there, and for data within a text.
        """
        if _OLD_FORM.fullmatch(text.strip()):
            # azure-ai-ml refuses it as a value of a step.
            remedy = f"Write `{text.replace('{{', '{{parent.', 1)}`."
            raise JobError(where, f"`{text}` is the form of a preview", remedy)
        parts = [each for each in _EXPRESSION.finditer(text) if each[1].startswith("parent.")]
        if not parts:
            return Literal(text)
        found = {part[1]: self._named(part[1], where) for part in parts}
        first, rest = found[parts[0][1]], text[parts[0].end() :]
        if text.strip() == parts[0].group():
            return first
        if isinstance(first, (ParentInput, StepOutput)) and len(parts) == 1:
            if text.startswith("${{") and rest.startswith("/"):
                return replace(first, inner=f"{first.inner}{rest}".strip("/"))
        if any(isinstance(each, (ParentInput, StepOutput)) for each in found.values()):
            remedy = "Give the data in an input, and write the text in the command."
            raise JobError(where, f"`{text}` has data within a text", remedy)
        return Literal(self.replaced(text))

    def replaced(self, value: Any) -> Any:
        """Return the value with every expression that stands for a literal replaced."""
        if isinstance(value, Mapping):
            return {key: self.replaced(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.replaced(each) for each in value]
        return _EXPRESSION.sub(self._text, value) if isinstance(value, str) else value

    def _text(self, match: re.Match[str]) -> str:
        name = match[1].removeprefix("parent.inputs.")
        found = self.inputs.get(name, match)
        if found is None:
            return ""
        return found.text if isinstance(found, Literal) else match[0]

    def _named(self, expression: str, where: str) -> Named | None:
        written = f"${{{{{expression}}}}}"
        match = _STEP_OUTPUT.fullmatch(expression)
        if match is not None:
            return self._step_output(match[1], match[2], written, where)
        if not expression.startswith("parent.inputs."):
            raise JobError(
                where,
                f"`{written}` is nothing that an input can get",
                "Write `${{parent.inputs.NAME}}` or `${{parent.jobs.STEP.outputs.NAME}}`.",
            )
        name = expression.removeprefix("parent.inputs.")
        # `${{parent.inputs.data.path}}` is the same as `${{parent.inputs.data}}`.
        for known in (name, name.partition(".")[0]):
            if known in self.inputs:
                found = self.inputs[known]
                return found if found is None or isinstance(found, Literal) else ParentInput(known)
        remedy = suggestion(name, list(self.inputs), "The pipeline has no `inputs:`.")
        raise JobError(where, f"`{written}` names no input of the pipeline", remedy)

    def _step_output(self, step: str, name: str, written: str, where: str) -> StepOutput:
        if step not in self.outputs:
            what = f"`{written}` names no step of the pipeline"
            raise JobError(where, what, suggestion(step, list(self.outputs)))
        names = self.outputs[step]
        if names is not None and name not in names:
            remedy = suggestion(name, list(names), f"The step `{step}` has no `outputs:`.")
            raise JobError(where, f"`{written}` names no output of the step", remedy)
        return StepOutput(step, name)


def parent_name(value: Any, group: str) -> str:
    """Return the input or output of the pipeline that the value is, nothing for other values."""
    text = value.get("path") if isinstance(value, Mapping) else value
    match = _EXPRESSION.fullmatch(text.strip()) if isinstance(text, str) else None
    prefix = f"parent.{group}."
    return match[1].removeprefix(prefix) if match and match[1].startswith(prefix) else ""
