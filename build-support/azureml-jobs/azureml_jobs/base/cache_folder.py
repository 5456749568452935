"""The user's cache folder: what is in it only saves time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return where this tool caches; None without a home, as in a sandbox of Pants."""
    home = environment.get("HOME", "")
    cache = Path(environment.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"))
    return cache / "azureml-jobs" if cache.is_absolute() else None
