"""Paths that a document names, relative to the repository's root."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from azureml_jobs.base.errors import JobError


def is_local(value: str) -> bool:
    """Return whether the text names a file or a folder, and not an asset, an address or git."""
    return not ("://" in value or value.startswith(("azureml:", "git+")) or "${{" in value)


def local_path(document: str, keys: Sequence[str], value: str) -> str:
    """Return the path that `value`, at `keys` of the document, stands for; "" is the root.

    It is relative to the document's folder. Raises `JobError` for one that is not: an absolute
    path, one with backslashes, one that leads out of the repository.
    """
    where = f"{document}: {'.'.join(keys)}"
    if "\\" in value:
        slashes = value.replace("\\", "/")
        raise JobError(
            where, f"{value!r} has backslashes, and jobs run on Linux", f"Write `{slashes}`."
        )
    found = posixpath.normpath(posixpath.join(posixpath.dirname(document), value))
    if posixpath.isabs(value):
        raise JobError(
            where,
            f"{value!r} is a path of one machine",
            f"Write it relative to the folder of {document}, such as `../data`.",
        )
    if leads_out(found):
        raise JobError(
            where,
            f"{value!r} leads out of the repository",
            f"Write a path relative to the folder of {document}, such as `..`.",
        )
    return "" if found == "." else found


def leads_out(path: str) -> bool:
    """Return whether a normalised path, relative to the repository's root, is outside of it."""
    return path == ".." or path.startswith(("../", "/"))


def unique_name(wanted: str, taken: set[str], ending: str = "") -> str:
    """Return the name, with a number before its ending if it is taken, whatever its case.

    The name is added to `taken`, which has lower-case names.
    """
    name, count = f"{wanted}{ending}", 1
    while name.casefold() in taken:
        count += 1
        name = f"{wanted}-{count}{ending}"
    taken.add(name.casefold())
    return name
