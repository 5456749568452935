"""Assets that have names and versions, in Azure and on this machine: data, models, components."""

from __future__ import annotations

import re
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError

DATA = "data"
MODELS = "models"
COMPONENTS = "components"
DATA_TYPES = ("uri_file", "uri_folder", "mltable")
MODEL_TYPES = ("custom_model", "mlflow_model", "triton_model")

# Azure ML's rule for names and versions.
PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}"
_REFERENCE = re.compile(rf"(?:azureml:)?({PART})(?::({PART})|@([\w-]+))?")


@dataclass(frozen=True)
class AssetName:
    """`azureml:NAME:VERSION`; `version` is None for the latest one."""

    name: str
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> AssetName | None:
        """Return the name in `azureml:NAME:VERSION`, `…NAME@latest` or `NAME`; None in others."""
        match = _REFERENCE.fullmatch(text)
        if match is None or match[3] not in (None, "latest"):
            return None
        return cls(match[1], match[2])

    def __str__(self) -> str:
        return f"azureml:{self.name}{f':{self.version}' if self.version else '@latest'}"


def check_names(name: str, version: str | None) -> None:
    """Raise `JobError` for what cannot be the name or, if there is one, the version of an asset."""
    for what, text in (("name", name), ("version", version)):
        if text is not None and not re.fullmatch(PART, text):
            raise JobError(
                text,
                f"this is not a valid {what}",
                "Write up to 255 letters, digits, `-`, `_` and `.`.",
            )


def default_type(kind: str, is_folder: bool) -> str:
    """Return the type of data or of a model whose user named none."""
    if kind == MODELS:
        return MODEL_TYPES[0]
    return "uri_folder" if is_folder else "uri_file"
