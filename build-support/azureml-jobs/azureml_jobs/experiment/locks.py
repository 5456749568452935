"""The names of the packages in a lock of pex."""

from __future__ import annotations

import json


def locked_projects(text: str) -> frozenset[str]:
    """Names of all packages that a lock holds; none when it is not a lock of pex.

    Pants writes its own notes above, as lines that begin with `//`. What is wrong with a lock is
    told by the commands that install from it.
    """
    lines = (line for line in text.splitlines() if not line.startswith("//"))
    try:
        lock = json.loads("\n".join(lines))
        return frozenset(
            requirement["project_name"]
            for resolve in lock["locked_resolves"]
            for requirement in resolve["locked_requirements"]
        )
    except (ValueError, LookupError, TypeError):
        return frozenset()
