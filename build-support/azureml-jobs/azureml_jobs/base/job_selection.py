"""Which jobs a list has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class JobSelection:
    """`status` and `experiment` are exact names, None for all; the newest `count` are wanted."""

    status: str | None = None
    experiment: str | None = None
    count: int | None = None
    archived: bool = False

    def takes(self, row: Mapping[str, Any]) -> bool:
        return self.status in (None, row["status"]) and (
            self.experiment in (None, row["experiment_name"])
        )
