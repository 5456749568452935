"""Find out why a command does not send a file, and what to write so that it does."""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.imports.closure import explore_command, unknown_to
from azureml_jobs.imports.exploration import Exploration, can_be_sent
from azureml_jobs.imports.knowledge import ask_until_known
from azureml_jobs.imports.lines import imports_by_line
from azureml_jobs.imports.literals import declaration, named_files
from azureml_jobs.imports.missing import Advisor
from azureml_jobs.imports.process import Process
from azureml_jobs.imports.questions import Question, ReadTexts
from azureml_jobs.imports.remedy import Run, dotted, name_to_import, ways_to_find
from azureml_jobs.imports.source import PRAGMA
from azureml_jobs.imports.steps import Missing, wanted_by
from azureml_jobs.jobfile.code import Code
from azureml_jobs.jobfile.command.code import CommandCode


@dataclass(frozen=True)
class Absence:
    """`reasons` are sentences on what keeps the file out, `ways` on what to write."""

    reasons: tuple[str, ...]
    ways: tuple[str, ...]


def find_absence(
    path: str,
    code: Code,
    roots: tuple[str, ...],
    starts: CommandCode,
    *,
    extra: tuple[str, ...],
    where: str,
    python: tuple[int, int],
    standard_library: frozenset[str],
) -> Generator[Question, Any, Absence]:
    """Ask what must be known, and return why the command does not send the file `path`.

    The other arguments are those of `find_closure`; `JobError` is raised for code that does not
    exist.
    """
    if not can_be_sent(path):
        return Absence(("Files of this name are never sent.",), ())
    exploration, advisor = yield from explore_command(
        code,
        roots,
        starts,
        extra=extra,
        entries=(),
        where=where,
        python=python,
        standard_library=standard_library,
    )
    texts = yield ReadTexts(tuple(sorted(exploration.shared.sources)))
    return (
        yield from ask_until_known(
            lambda: _absence(path, texts, exploration, advisor), *unknown_to(advisor)
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
    script = (
        f"in {run.script}, which the command runs" if run.script else "in the code that it runs"
    )
    holds = advisor.overlay.holds(path)
    name = name_to_import(path, process.search_path, advisor.overlay) if holds else None
    if name is None:
        base = _folder_of_packages(path, advisor)
        module = dotted(path, base)
        if not all(part.isidentifier() for part in module.split(".")):
            return Absence((), ())
        way, *_ = ways_to_find(path, base, run, advisor.overlay, advisor.code)
        return Absence(
            ("Python does not search a folder that has it.",),
            (f"Write {way}, and `import {module}` {script}.",),
        )
    found = advisor.snapshot.find(name, process.search_path)
    if found is None:
        return Absence((), ())
    if not found.is_found or found.is_python or found.last.path != path:
        other = found.last.path if found.chain and found.last.path else "Python itself"
        return Absence(
            (f"Python finds the module `{name}` in {other}, which hides it.",),
            ("Rename one of them.",),
        )
    return Absence(
        tuple(sorted(_unfollowed(name, texts, process))), (f"Write `import {name}` {script}.",)
    )


def _folder_of_packages(path: str, advisor: Advisor) -> str:
    """Return the folder from which the outermost package around the file is imported."""
    folder = posixpath.dirname(path)
    while folder:
        listing = advisor.repository.listing(folder)
        if listing is None or "__init__.py" not in listing.files:
            break
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
            modules = (wanted.module, *(f"{wanted.module}.{inner}" for inner in wanted.names))
            if any(f"{module}.".startswith(f"{name}.") for module in modules):
                has_pragma = PRAGMA in text.splitlines()[each.line - 1]
                why = f"with `{PRAGMA}`" if has_pragma else "where this job never runs that line"
                yield f"{loaded.path}:{each.line} imports it, but {why}."
