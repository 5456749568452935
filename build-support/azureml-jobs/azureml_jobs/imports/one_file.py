"""Find out what one file imports that no file of the repository is, wherever it may run."""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator
from typing import Any

from azureml_jobs.imports.finder import Finder
from azureml_jobs.imports.knowledge import ask_until_known
from azureml_jobs.imports.overlay import Overlay
from azureml_jobs.imports.questions import Question, ReadSources
from azureml_jobs.imports.result import OutsideModule
from azureml_jobs.imports.source import Source
from azureml_jobs.imports.statements import Import
from azureml_jobs.jobfile.paths import leads_out


def outside_modules(
    path: str,
    search_path: tuple[str, ...],
    *,
    python: tuple[int, int],
    standard_library: frozenset[str],
) -> Generator[Question, Any, tuple[OutsideModule, ...]]:
    """Ask what must be known, and return what the file at `path` imports from elsewhere.

    search_path: folders of the repository. It is enough that one of them has the module, since
        nobody knows from where the file will be run.
    """
    answer = yield ReadSources((path,))
    source: Source = answer[path]
    folders = tuple(dict.fromkeys((*_added_folders(source, posixpath.dirname(path)), *search_path)))
    overlay = Overlay("", ())
    finder = Finder(overlay, python, standard_library)
    return (
        yield from ask_until_known(
            lambda: tuple(_missing(source, path, folders, finder)), (finder.unknown,), (overlay,)
        )
    )


def _added_folders(source: Source, folder: str) -> Iterator[str]:
    for change in source.path_changes:
        joined = posixpath.normpath(posixpath.join(folder, change.path))
        if change.base == "file" and not leads_out(joined):
            yield "" if joined == "." else joined


def _missing(
    source: Source, path: str, folders: tuple[str, ...], finder: Finder
) -> Iterator[OutsideModule]:
    for each in source.imports:
        searched, module = folders, each.module
        if each.level:
            base = path
            for _ in range(each.level):
                base = posixpath.dirname(base)
            searched = (base,)
        if module and not any([_has(finder, each, folder) for folder in searched]):
            module = f"{'.' * each.level}{module}"
            yield OutsideModule(
                module,
                each.names,
                path,
                each.line,
                searched,
                each.is_optional,
                is_certain=all(change.base is not None for change in source.path_changes),
                remedy=_remedy(finder, each, searched),
            )


def _remedy(finder: Finder, wanted: Import, folders: tuple[str, ...]) -> str | None:
    """Return what to write for a module of a package that is in the repository."""
    for folder in folders:
        found = finder.find(wanted.module, (folder,))
        if found and found.chain and found.last.path is not None:
            return f"Check the name: `{found.last.name}` is {found.last.path}."
    folder = folders[0] or "the repository's root"
    return f"Check the name: the package is the folder {folder}." if wanted.level else None


def _has(finder: Finder, wanted: Import, folder: str) -> bool:
    """Return whether this folder has the module; True as long as that is unknown."""
    found = finder.find(wanted.module, (folder,))
    if found is None or found.is_python:
        return True
    if not found.is_found:
        return False
    if found.last.path is not None or not wanted.names:
        return True
    inner = [finder.find(f"{wanted.module}.{name}", (folder,)) for name in wanted.names]
    return any([each is None or each.is_found for each in inner])
