"""Say how to start a command so that Python finds a file."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from azureml_jobs.imports.overlay import Overlay, is_in
from azureml_jobs.jobfile.command.code import Code, PythonStart


@dataclass(frozen=True)
class Run:
    """How a process is started now.

    script: the repository path of the file that it runs, if that exists.
    """

    start: PythonStart
    script: str | None

    @property
    def command(self) -> str:
        if self.start.kind == "script":
            return f"python {posixpath.relpath(self.start.value, self.start.folder or '.')}"
        return f"python -m {self.start.value}" if self.start.kind == "module" else "python"


def way_to_find(path: str, base: str, run: Run, overlay: Overlay, code: Code) -> str:
    """Return what to write so that `run` searches `base`, a folder around the file `path`."""
    job_folder = posixpath.dirname(code.where.partition(":")[0])
    name = overlay.name_of(path)
    below = path[len(base) + 1 :] if base else path
    if not overlay.holds(path) or not f"/{name}".endswith(f"/{below}"):
        # The folder around the code must become part of the snapshot.
        new_code = posixpath.relpath(base or ".", job_folder or ".")
        script = run.script if run.script and is_in(run.script, base) else None
        started = f" with `python -m {dotted(script, base)}`" if script else ""
        return f"`code: {new_code}`{started}"
    folder = name[: len(name) - len(below)].rstrip("/")
    relative = posixpath.relpath(folder or ".", run.start.folder or ".")
    script_name = overlay.name_of(run.script) if run.script else ""
    if run.start.kind == "script" and script_name and is_in(script_name, folder):
        change = "" if folder == run.start.folder else f"cd {relative} && "
        return f"`{change}python -m {dotted(script_name, folder)}` in place of `{run.command}`"
    return f"`PYTHONPATH={relative} {run.command}`"


def name_to_import(path: str, search_path: tuple[str, ...], overlay: Overlay) -> str | None:
    """Return the name by which Python finds the file `path` now, if it does."""
    name = overlay.name_of(path)
    for entry in search_path:
        module = dotted(name, entry) if is_in(name, entry) and name != entry else ""
        if module and all(part.isidentifier() for part in module.split(".")):
            return module
    return None


def dotted(path: str, base: str) -> str:
    """Return the name of the module in the file `path` for Python that searches `base`."""
    name = path[len(base) + 1 :] if base else path
    for ending in (".py", "/__init__", "/__main__"):
        name = name.removesuffix(ending)
    return name.replace("/", ".")
