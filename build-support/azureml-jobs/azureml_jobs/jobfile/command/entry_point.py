"""A piece of code that a command names, and the files that it may be."""

from __future__ import annotations

import posixpath
import sys
import sysconfig
from dataclasses import dataclass
from importlib.machinery import PathFinder
from typing import Literal

from azureml_jobs.jobfile.paths import leads_out

Kind = Literal["module", "script", "file"]


@dataclass(frozen=True)
class EntryPoint:
    """A piece of code or a file that a command names.

    module: a dotted name that Python runs (`python -m a.b`), first-party or not.
    script: a path that the command runs, so it must exist.
    file: any other token that looks like a relative path; it may be a file of the repository.

    Paths are relative to the folder in which the command starts, normalised, with forward slashes.
    """

    kind: Kind
    value: str

    @property
    def is_part_of_python(self) -> bool:
        """Whether it is a module of Python itself, as in `python -m http.server`, or pip."""
        if self.kind != "module":
            return False
        package = self.value.partition(".")[0]
        if package == "pip" or package in sys.builtin_module_names:
            return True
        folders = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
        found = PathFinder.find_spec(package, [folder for folder in folders if folder])
        return found is not None and found.loader is not None

    def candidate_paths(self, folder: str, source_roots: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return where its file may be, most likely first, relative to the repository's root.

        `folder` is where the command starts.
        """
        # Python runs a folder by the `__main__.py` in it.
        if self.kind == "module":
            stem = self.value.replace(".", "/")
            names = (f"{stem}.py", f"{stem}/__main__.py")
        else:
            names = (self.value, f"{self.value}/__main__.py")
        paths = (
            posixpath.normpath(posixpath.join(base, name))
            for base in (folder, *source_roots)
            for name in names
        )
        return tuple(dict.fromkeys(path for path in paths if not leads_out(path)))


def declared_entry_point(value: str) -> EntryPoint:
    """Return what a target's field names: a file (`train.py`) or a module (`x.train`)."""
    is_file = value.endswith(".py") or "/" in value
    return EntryPoint("script" if is_file else "module", value)
