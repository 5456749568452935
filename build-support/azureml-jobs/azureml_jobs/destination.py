"""Where jobs go: the workspace in `config.env`, or the local one when none is named there."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Mapping

from azureml_jobs.errors import JobError

CONFIG_FILE = "config.env"
LOCAL_FOLDER = ".azureml"
KEYS = ("SUBSCRIPTION_ID", "RESOURCE_GROUP", "WORKSPACE")


@dataclass(frozen=True)
class AzureWorkspace:
    """A workspace of Azure Machine Learning."""

    subscription_id: str
    resource_group: str
    name: str


def configured_workspace(
    repository: Path, environment: Mapping[str, str] = os.environ
) -> AzureWorkspace | None:
    """The workspace that `config.env` names; variables of the environment win over the file.

    None when no value is given, or while all are still placeholders such as `<workspace>`. Raises
    `JobError` when only a part is given; a lone variable `WORKSPACE` of the environment is no part,
    because build servers set one of that name to a folder.
    """
    from dotenv import dotenv_values

    written = dotenv_values(stream=StringIO(_text(repository / CONFIG_FILE)), interpolate=False)
    values = {key: (environment.get(key) or written.get(key) or "").strip() for key in KEYS}
    given = {key: value for key, value in values.items() if not _is_placeholder(value)}
    if not given or (list(given) == ["WORKSPACE"] and _is_placeholder(written.get("WORKSPACE"))):
        return None
    missing = [key for key in KEYS if key not in given]
    if missing:
        raise JobError(
            f"{CONFIG_FILE}: {missing[0]}",
            f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} set, "
            f"but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not",
            f"Write `{missing[0]}=…`, or clear the others to run jobs in the local workspace.",
        )
    return AzureWorkspace(*(given[key] for key in KEYS))


def _text(file: Path) -> str:
    try:
        # Editors on Windows put a mark at the beginning.
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise JobError(
            file.name, f"not text in UTF-8 (byte {error.start})", "Save it as UTF-8."
        ) from error


def _is_placeholder(value: str | None) -> bool:
    return not value or re.fullmatch(r"<[^<>]*>", value.strip()) is not None
