"""What the guard was asked to let pass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Allowed:
    """Where it is, and what kind of thing it looks like; never the secret itself."""

    where: str
    what: str
