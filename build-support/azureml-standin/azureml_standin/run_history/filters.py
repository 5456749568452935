"""Read the filters of run history, as far as azureml-core writes them.

Source: `_restclient/_odata/constants.py` of azureml-core.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from azureml_standin.http.messages import HttpError

_CONDITION = re.compile(r"\((\w+) (eq|ne) (\w+)\)")
_FIELDS = {
    field.lower(): field for field in ("parentRunId", "hidden", "status", "runId", "runType")
}
_VALUES = {"null": None, "true": True, "false": False}


def read_filter(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether a run fits. Raises `HttpError` 400 for what is no filter."""
    conditions = []
    for part in filter(None, text.split(" and ")):
        match = _CONDITION.fullmatch(part)
        if match is None or match[1].lower() not in _FIELDS:
            raise HttpError(400, "ValidationError", f"The filter {part} is not valid.")
        value = _VALUES.get(match[3], match[3])
        conditions.append((_FIELDS[match[1].lower()], match[2] == "eq", value))
    return lambda run: all(
        (run[field] == value) is is_equal for field, is_equal, value in conditions
    )
