"""Find what one file imports from packages, without following what it imports of ours."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from azureml_jobs.imports.finder import Finder
from azureml_jobs.imports.knowledge import ask_until_known
from azureml_jobs.imports.overlay import Overlay
from azureml_jobs.imports.questions import Question, ReadSources
from azureml_jobs.imports.result import OutsideModule
from azureml_jobs.imports.statements import Import


def outside_modules(
    path: str,
    search_path: tuple[str, ...],
    *,
    python: tuple[int, int],
    standard_library: frozenset[str],
) -> Generator[Question, Any, tuple[OutsideModule, ...]]:
    """Ask what must be known, and return the imports that no file in `search_path` satisfies.

    Paths are those of the repository. Relative imports are never of a package.
    """
    sources = yield ReadSources((path,))
    imports = [each for each in sources[path].imports if not each.level]
    overlay = Overlay("", ())
    finder = Finder(overlay, python, standard_library)
    modules = yield from ask_until_known(
        lambda: tuple(_outside(imports, path, search_path, finder)), (finder.unknown,), (overlay,)
    )
    return modules


def _outside(
    imports: list[Import], path: str, search_path: tuple[str, ...], finder: Finder
) -> Iterator[OutsideModule]:
    for each in imports:
        found = finder.find(each.module, search_path)
        if found is None or found.is_python or not found.is_open:
            continue
        names = each.names
        if found.is_found:
            inner = {name: finder.find(f"{each.module}.{name}", search_path) for name in names}
            names = tuple(n for n, module in inner.items() if module and not module.is_found)
        if names or not found.is_found:
            yield OutsideModule(
                each.module, names, path, each.line, search_path, is_optional=each.is_optional
            )
