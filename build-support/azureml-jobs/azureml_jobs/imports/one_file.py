"""Find out what one file imports that no file of the repository is, wherever it may run."""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator
from typing import Any

from azureml_jobs.imports.finder import Finder, Found
from azureml_jobs.imports.overlay import Overlay
from azureml_jobs.imports.questions import Question, ReadSources, ask_until_known
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
    source: Source = (yield ReadSources((path,)))[path]
    folders = tuple(dict.fromkeys((*_added_folders(source, posixpath.dirname(path)), *search_path)))
    overlay = Overlay("", ())
    finder = Finder(overlay, python, standard_library)
    return (
        yield from ask_until_known(lambda: tuple(_missing(source, path, folders, finder)), overlay)
    )


def _added_folders(source: Source, folder: str) -> Iterator[str]:
    for change in source.path_changes:
        joined = posixpath.normpath(posixpath.join(folder, change.path))
        if change.base == "file" and not leads_out(joined):
            yield "" if joined == "." else joined


def _missing(
    source: Source, path: str, folders: tuple[str, ...], finder: Finder
) -> Iterator[OutsideModule]:
    is_certain = all(change.base is not None for change in source.path_changes)
    for each in source.imports:
        # A relative import is searched in one folder: above the file, once for each dot.
        base = "/".join(path.split("/")[: -each.level])
        searched = (base,) if each.level else folders
        found = [finder.find(each.module, (folder,)) for folder in searched if each.module]
        if found and not any([_has(finder, each, *pair) for pair in zip(found, searched)]):
            yield OutsideModule(
                f"{'.' * each.level}{each.module}",
                each.names,
                path,
                each.line,
                each.is_optional,
                is_certain,
                remedy=_remedy(found, each, searched[0]),
            )


def _has(finder: Finder, wanted: Import, found: Found | None, folder: str) -> bool:
    """Return whether this folder has the module; True as long as that is unknown."""
    if found is None or found.is_python:
        return True
    if not found.is_found or found.last.path is not None or not wanted.names:
        return found.is_found
    inner = [finder.find(f"{wanted.module}.{name}", (folder,)) for name in wanted.names]
    return any([each is None or each.is_found for each in inner])


def _remedy(found: list[Found | None], wanted: Import, folder: str) -> str | None:
    """Return what to write for a module of a package that is in the repository."""
    for each in found:
        if each and each.chain and each.last.path is not None:
            return f"Check the name: `{each.last.name}` is {each.last.path}."
    place = folder or "the repository's root"
    return f"Check the name: the package is the folder {place}." if wanted.level else None
