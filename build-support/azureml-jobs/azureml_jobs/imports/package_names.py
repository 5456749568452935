"""Guess which package has a module, by the names of both."""

from __future__ import annotations

import re
from collections.abc import Iterable

# What names of packages have around the name of their module.
_AROUND = frozenset(("binary", "cpu", "gpu", "headless", "nightly", "py", "python", "skinny"))


def module_of(project: str, module: str) -> str | None:
    """Return the part of a dotted `module` that the package `project` seems to have, or None.

    `azure-data-tables` has `azure.data.tables`, and `PyFoo`, `foo-cpu` and `python-foo` have `foo`.
    """
    names = _words(project)
    parts = module.split(".")
    if names == [part.lower() for part in parts[: len(names)]]:
        return ".".join(parts[: len(names)])
    bare = [name for name in names if name not in _AROUND]
    top = _words(parts[0])
    return parts[0] if top in (bare, _words(project.lower().removeprefix("py"))) else None


def mappings_for(modules: Iterable[str], projects: Iterable[str]) -> dict[str, str]:
    """Map packages among `projects` that seem to have one of the modules to the part they have."""
    projects = sorted(projects)
    found = {}
    for module in modules:
        matches = {project: module_of(project, module) for project in projects}
        # The longest is the most specific.
        best = max(matches, key=lambda project: len(matches[project] or ""), default=None)
        if best is not None and (part := matches[best]):
            found[best] = part
    return found


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[-_.]+", name.lower()) if word]
