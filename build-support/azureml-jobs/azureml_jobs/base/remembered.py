"""What this tool remembers in the user's cache folder, to save time and for nothing else."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from azureml_jobs.base.files import make_folder, write_file

_MOST = 20_000


class Remembered:
    """JSON data by texts, in a file of this name.

    `rules` is whatever the data depends on: under other rules, nothing is remembered.
    """

    def __init__(self, name: str, rules: str = "") -> None:
        folder = _folder()
        self._file = folder / name if folder else None
        self._rules = rules
        self._known: dict[str, Any] = {}
        self._is_changed = False
        if self._file is not None:
            # A damaged file is none.
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                kept = json.loads(self._file.read_bytes())
                if kept["rules"] == rules:
                    self._known = dict(kept["known"])

    def get(self, key: str) -> Any:
        """Return the data of `key`, or None. What was used last is forgotten last."""
        found = self._known.pop(key, None)
        if found is not None:
            self._known[key] = found
        return found

    def put(self, key: str, data: Any) -> None:
        self._known.pop(key, None)
        self._known[key] = data
        self._is_changed = True

    def save(self) -> None:
        if self._file is None or not self._is_changed:
            return
        known = dict(list(self._known.items())[-_MOST:])
        # It only saves time, and is not worth an error.
        with contextlib.suppress(OSError):
            make_folder(self._file.parent)
            write_file(self._file, json.dumps({"rules": self._rules, "known": known}))


def _folder() -> Path | None:
    """Return where this tool caches; None without a home, as in a sandbox of Pants."""
    cache = Path(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", ""), ".cache")
    )
    return cache / "azureml-jobs" if cache.is_absolute() else None
