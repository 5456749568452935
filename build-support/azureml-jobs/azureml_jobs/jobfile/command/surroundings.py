"""Where a command runs, and what was found so far."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from azureml_jobs.jobfile.command.arguments import SNAPSHOT, UNKNOWN, Argument, paths_in
from azureml_jobs.jobfile.command.code import Kind, PythonStart, ScriptStart
from azureml_jobs.jobfile.paths import leads_out

BRANCHES = {"if", "case"}

Arguments = Sequence[Argument]


@dataclass
class Found:
    """Everything in order of appearance; paths are snapshot names.

    made: files and folders that the commands make.
    texts: what the commands write into files, where it is known.
    installed: folders in which packages lie that the commands install.
    """

    python: list[PythonStart] = field(default_factory=list)
    scripts: list[ScriptStart] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    installs_packages: bool = False
    made: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    installed: list[str] = field(default_factory=list)

    def is_made(self, path: str) -> bool:
        """Whether the file or folder may be made by the commands."""
        return any(path == made or not made or path.startswith(made + "/") for made in self.made)


@dataclass(kw_only=True)
class Surroundings:
    """The folder and the variables of a command, and what is found by it.

    folder: a snapshot name, or an absolute path of the image.
    blocks: the keywords that are open, each with the folder at its beginning.
    is_certain: whether the folder is known, and whether what is read is a command at all.
    is_alternative: whether the command comes after `||`.
    source: the text of the command.
    """

    folder: str
    variables: dict[str, str]
    exported: set[str]
    found: Found
    blocks: list[tuple[str, str]] = field(default_factory=list)
    is_certain: bool = True
    is_alternative: bool = False
    source: str = ""

    def path(self, text: str) -> str:
        """Return a snapshot name, or an absolute path of the image."""
        if text.startswith("~"):
            return "/" + text
        below = text[1:].lstrip("/") if text[:1] == SNAPSHOT else posixpath.join(self.folder, text)
        path = posixpath.normpath(below)
        return "" if path == "." else path

    def absolute(self, text: str) -> str:
        path = self.path(text)
        return path if path.startswith("/") else f"{SNAPSHOT}/{path}".rstrip("/")

    def change_folder(self, target: Argument | None) -> None:
        """Follow a `cd` to `target`; None is the home folder."""
        if self.is_alternative or (target is not None and not target.is_plain):
            self.is_certain = False
            return
        previous = self.absolute("")
        if target is None:
            self.folder = "/~"
        elif target.text == "-":
            self.folder = self.path(self.variables.get("OLDPWD", ""))
        else:
            self.folder = self.path(target.text)
        self.variables["OLDPWD"] = previous

    def make(self, target: Argument, text: str | None = None) -> None:
        """Remember that a command makes a file or folder; `text` is what is in it, if known."""
        path = self.path(target.text)
        if target.is_plain and not path.startswith("/"):
            self.found.made.append(path)
            self.found.texts.pop(path, None)
            if text is not None:
                self.found.texts[path] = text

    def name_files(self, arguments: Arguments, folder: str | None = None) -> None:
        """Note every argument that may be a file, and the value of every `NAME=VALUE`."""
        for argument in arguments:
            for text in paths_in(argument):
                path = self.path(text if folder is None else posixpath.join(SNAPSHOT, folder, text))
                if not path:
                    self.warn("names the whole folder, of which not everything is sent")
                elif not leads_out(path):
                    self.found.files.append(path)

    @contextmanager
    def doubt(self, is_doubtful: bool = True) -> Iterator[None]:
        """Be uncertain of what is read within."""
        before = self.is_certain
        self.is_certain = before and not is_doubtful
        yield
        self.is_certain = before

    def start_python(
        self,
        kind: Kind,
        value: str,
        folders: Sequence[str],
        uses_pythonpath: bool = True,
    ) -> None:
        """Note a start; `folders` are the first of Python's search path."""
        entries = (*folders, *(self.pythonpath() if uses_pythonpath else ()), *self.found.installed)
        path = tuple(dict.fromkeys(entry for entry in entries if not leads_out(entry)))
        value = value.replace(UNKNOWN, "_").replace(SNAPSHOT, "/snapshot")
        is_outside = leads_out(self.folder)
        is_certain = self.surely_runs(*folders, *([value] if kind == "script" else []))
        is_certain = is_certain and (kind == "script" or not is_outside)
        folder = "" if is_outside else self.folder
        self.found.python.append(PythonStart(kind, value, path, folder, is_certain))

    def surely_runs(self, *paths: str) -> bool:
        """Return whether the command surely runs, with what is in the snapshot now."""
        is_branch = any(keyword in BRANCHES for keyword, _ in self.blocks)
        is_made = any(self.found.is_made(path) for path in paths)
        return self.is_certain and not self.is_alternative and not is_branch and not is_made

    def pythonpath(self) -> list[str]:
        value = self.variables.get("PYTHONPATH", "") if "PYTHONPATH" in self.exported else ""
        entries = value.split(":") if value else []
        return [self.path(entry) for entry in entries if UNKNOWN not in entry]

    def warn(self, problem: str) -> None:
        """Note what cannot be read of the command."""
        source = " ".join(self.source.split())
        source = source if len(source) <= 60 else source[:59] + "…"
        self.found.warnings.append(f"`{source}` {problem}")

    def warn_of_unknown(self) -> None:
        self.warn("runs what is known only when the job runs")
