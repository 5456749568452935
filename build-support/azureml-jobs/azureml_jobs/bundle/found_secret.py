"""What the search for secrets finds, and how a file is to be searched."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

# The comment that declares a line harmless; detect-secrets uses the same.
ALLOW_COMMENT = "pragma: allowlist secret"
# In other files, code, what is behind `password =` without quotes is not a text.
_PLAIN_TEXTS = {
    *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".cnf", ".properties", ".env", ".sh"),
    *(".bash", ".txt"),
}


@dataclass(frozen=True)
class Secret:
    """What looks like a secret in a line, from 1; `is_marked` says that its comment allows it."""

    line: int
    kind: str
    is_marked: bool


def is_plain_text(path: str) -> bool:
    """Return whether values in a file of this name may be texts without quotes."""
    name, ending = posixpath.splitext(posixpath.basename(path).lower())
    return ending in _PLAIN_TEXTS or "dockerfile" in f"{name}{ending}"
