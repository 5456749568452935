"""Find out why a command does not send a file, and what to write so that it does."""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.imports.closure import Launch, explore_command
from azureml_jobs.imports.exploration import Exploration, can_be_sent
from azureml_jobs.imports.literals import declaration, named_files
from azureml_jobs.imports.missing import Advisor, Run, dotted
from azureml_jobs.imports.overlay import Overlay
from azureml_jobs.imports.process import Process
from azureml_jobs.imports.questions import Question, ReadTexts, ask_until_known
from azureml_jobs.imports.source import PRAGMA
from azureml_jobs.imports.statements import imports_by_line
from azureml_jobs.imports.steps import Missing, wanted_by


@dataclass(frozen=True)
class Absence:
    """`reasons` are sentences on what keeps the file out, `ways` on what to write."""

    reasons: tuple[str, ...]
    ways: tuple[str, ...]


def find_absence(path: str, launch: Launch) -> Generator[Question, Any, Absence]:
    """Ask what must be known, and return why the command does not send the file `path`.

    Raises `JobError` for code that does not exist.
    """
    if not can_be_sent(path):
        return Absence(("Files of this name are never sent.",), ())
    exploration, advisor = yield from explore_command(launch)
    texts = yield ReadTexts(tuple(sorted(exploration.shared.sources)))
    return (
        yield from ask_until_known(
            lambda: _absence(path, texts, exploration, advisor), *advisor.overlays
        )
    )


def _absence(
    path: str, texts: Mapping[str, str], exploration: Exploration, advisor: Advisor
) -> Absence:
    reasons: dict[str, None] = {}
    ways: dict[str, None] = {}
    if path.endswith(".py"):
        for process in exploration.processes:
            run = advisor.run_of(process)
            if run is not None:
                found = _of_process(path, texts, process, run, advisor)
                reasons.update(dict.fromkeys(found.reasons))
                ways.update(dict.fromkeys(found.ways))
    for where, literal, named in named_files(exploration.shared):
        if named == path:
            reasons[f'{where} names it as "{literal}", and a name alone sends nothing.'] = None
    if not ways:
        ways[f"Write {declaration(path, advisor.code)}."] = None
        if advisor.overlay.holds(path):
            ways[f"Or name it in the command, as `{advisor.overlay.name_of(path)}`."] = None
    return Absence(tuple(reasons), tuple(ways))


def _of_process(
    path: str, texts: Mapping[str, str], process: Process, run: Run, advisor: Advisor
) -> Absence:
    """Return why one process does not import the file, and what to write."""
    place = f"in {run.script}, which the command runs" if run.script else "in the code that it runs"
    holds = advisor.overlay.holds(path)
    name = advisor.name_to_import(path, process.search_path) if holds else None
    if name is None:
        base = _folder_of_packages(path, advisor.repository.overlay)
        module = dotted(path, base)
        if not all(part.isidentifier() for part in module.split(".")):
            return Absence((), ())
        way = advisor.way_to_find(path, base, run)
        return Absence(
            ("Python does not search a folder that has it.",),
            (f"Write {way}, and `import {module}` {place}.",),
        )
    found = advisor.snapshot.find(name, process.search_path)
    if found is None:
        return Absence((), ())
    if not found.is_found or found.is_python or found.last.path != path:
        other = found.last.path if found.chain and found.last.path else "Python itself"
        reason = f"Python finds the module `{name}` in {other}, which hides it."
        return Absence((reason,), ("Rename one of them.",))
    reasons = sorted(_unfollowed(name, texts, process))
    return Absence(tuple(reasons), (f"Write `import {name}` {place}.",))


def _folder_of_packages(path: str, repository: Overlay) -> str:
    """Return the folder from which the outermost package around the file is imported."""
    folder = posixpath.dirname(path)
    while folder and repository.file(posixpath.join(folder, "__init__.py")):
        folder = posixpath.dirname(folder)
    return folder


def _unfollowed(name: str, texts: Mapping[str, str], process: Process) -> Iterator[str]:
    """Yield the imports of a module that count for nothing."""
    for loaded in process.loaded():
        text = texts.get(loaded.path, "")
        for each in imports_by_line(text):
            wanted = wanted_by(each, loaded, is_strict=False)
            if isinstance(wanted, Missing):
                continue
            modules = (wanted.module, *wanted.dotted_names)
            if any(f"{module}.".startswith(f"{name}.") for module in modules):
                has_pragma = PRAGMA in text.splitlines()[each.line - 1]
                why = f"with `{PRAGMA}`" if has_pragma else "where this job never runs that line"
                yield f"{loaded.path}:{each.line} imports it, but {why}."
