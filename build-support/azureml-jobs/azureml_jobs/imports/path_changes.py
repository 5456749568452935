"""Find how a module changes `sys.path`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from azureml_jobs.imports.dotted import dotted_name
from azureml_jobs.imports.places import Base, Places


@dataclass(frozen=True)
class PathChange:
    """A folder that the code adds to `sys.path`.

    base: what `path` is relative to: the folder of the file itself, or the working folder. None for
        a folder that only the run knows.
    is_first: whether the folder is searched before all others.
    """

    base: Base | None
    path: str
    is_first: bool
    line: int


def find_path_changes(nodes: Iterable[ast.AST], places: Places) -> Iterator[PathChange]:
    """Yield the changes of `sys.path` in the code."""
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _changes_of_call(node, places)


def _changes_of_call(call: ast.Call, places: Places) -> Iterator[PathChange]:
    function = dotted_name(call.func)
    if function in ("sys.path.append", "site.addsitedir") and call.args:
        yield _change(call.args[0], places, is_first=False)
    elif function == "sys.path.insert" and len(call.args) > 1:
        position = call.args[0]
        is_first = isinstance(position, ast.Constant) and position.value in (0, 1)
        yield _change(call.args[1], places, is_first)
    elif function == "sys.path.extend" and call.args:
        for each in call.args[0].elts if isinstance(call.args[0], ast.List) else call.args:
            yield _change(each, places, is_first=False)


def _change(folder: ast.expr, places: Places, is_first: bool) -> PathChange:
    base, path = places.of(folder) or (None, "")
    return PathChange(base, path, is_first, folder.lineno)
