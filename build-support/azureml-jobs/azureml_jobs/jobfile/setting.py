"""One setting of the command line, `key.path=value`, and the error that refuses it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from azureml_jobs.jobfile.findings import Finding

# Longer ones are no numbers that a job counts, and Python refuses to convert very long ones.
INTEGER = re.compile(r"[-+]?[0-9]{1,18}(?:_[0-9]{1,3}){0,5}")

# A `\.` is a dot within a key, as in azure-ai-ml.
_DOT = re.compile(r"(?<!\\)\.")
_INDEX = re.compile(r"\[([0-9]+)\]")


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
            raise setting.refuse(
                "there is no `=`", f"Write `--set {text or 'KEY'}=VALUE`.", steps=()
            )
        if not all(steps):
            raise setting.refuse(
                "a part of the key is empty", "Write for example `--set inputs.epochs=5`.", steps=()
            )
        return setting

    @property
    def key_path(self) -> str:
        return ".".join(self.steps)

    def refuse(self, what: str, remedy: str, steps: Sequence[str] | None = None) -> RefusedSetting:
        """Return the error to raise; `steps` lead to what is wrong, by default the whole key."""
        key_path = self.key_path if steps is None else ".".join(steps)
        return RefusedSetting(Finding(key_path, f"`--set {self.text}`: {what}", remedy))
