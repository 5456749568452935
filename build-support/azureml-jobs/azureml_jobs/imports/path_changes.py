"""Find how a module changes `sys.path`."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from azureml_jobs.imports.dotted import dotted_name, last_name

Base = Literal["file", "folder"]
# A path relative to the folder of the file itself, or to the working folder.
_Place = tuple[Base, str]

_SAME_PLACE = {
    "abspath", "realpath", "normpath", "resolve", "absolute", "expanduser", "str", "Path",
    "PurePath", "PosixPath", "fspath", "as_posix", "getfile", "getsourcefile", "__str__",
}  # fmt: skip
_WORKING_FOLDER = {"getcwd", "cwd"}


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


def find_path_changes(tree: ast.AST) -> Iterator[PathChange]:
    """Yield the changes of `sys.path` in the code, in its order."""
    values = {
        node.targets[0].id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _changes_of_call(node, values)


def _changes_of_call(call: ast.Call, values: dict[str, ast.expr]) -> Iterator[PathChange]:
    function = dotted_name(call.func)
    if function in ("sys.path.append", "site.addsitedir") and call.args:
        yield _change(call.args[0], values, is_first=False)
    elif function == "sys.path.insert" and len(call.args) > 1:
        position = call.args[0]
        is_first = isinstance(position, ast.Constant) and position.value in (0, 1)
        yield _change(call.args[1], values, is_first)
    elif function == "sys.path.extend" and call.args:
        for each in call.args[0].elts if isinstance(call.args[0], ast.List) else call.args:
            yield _change(each, values, is_first=False)


def _change(folder: ast.expr, values: dict[str, ast.expr], is_first: bool) -> PathChange:
    base, path = _place(folder, values, depth=0) or (None, "")
    return PathChange(base, path, is_first, folder.lineno)


def _place(expression: ast.expr, values: dict[str, ast.expr], depth: int) -> _Place | None:
    """Return the place that an expression names, None if only the run knows it."""
    if depth > 30:
        return None
    parts: list[ast.expr] = []
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        return "folder", posixpath.normpath(expression.value)
    if isinstance(expression, ast.Name):
        if expression.id == "__file__":
            return "file", "@"
        value = values.get(expression.id)
        return _place(value, values, depth + 1) if value is not None else None
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Div | ast.Add):
        parts = [expression.left, expression.right]
    elif isinstance(expression, ast.JoinedStr):
        parts = [e.value if isinstance(e, ast.FormattedValue) else e for e in expression.values]
    elif isinstance(expression, ast.Subscript):
        return _parents(expression, values, depth)
    elif isinstance(expression, ast.Attribute):
        place = _place(expression.value, values, depth + 1)
        if expression.attr == "parent":
            return _above(place)
        return ("folder", "..") if expression.attr == "pardir" else None
    elif isinstance(expression, ast.Call):
        return _called(expression, values, depth)
    return _joined(parts, values, depth)


def _called(call: ast.Call, values: dict[str, ast.expr], depth: int) -> _Place | None:
    name = last_name(call.func)
    if name in _WORKING_FOLDER:
        return "folder", "."
    if name == "currentframe":
        return "file", "@"
    if name in ("join", "joinpath"):
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        parts = [owner, *call.args] if owner and name == "joinpath" else call.args
        return _joined(parts, values, depth)
    if name in _SAME_PLACE and len(call.args) > 1:
        return _joined(call.args, values, depth)
    subject = call.args[0] if call.args else getattr(call.func, "value", None)
    place = _place(subject, values, depth + 1) if subject is not None else None
    if name == "dirname":
        return _above(place)
    return place if name in _SAME_PLACE else None


def _parents(node: ast.Subscript, values: dict[str, ast.expr], depth: int) -> _Place | None:
    """Return the place of `path.parents[1]`."""
    if not isinstance(node.value, ast.Attribute) or node.value.attr != "parents":
        return None
    place = _place(node.value.value, values, depth + 1)
    if not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, int):
        return None
    for _ in range(node.slice.value + 1):
        place = _above(place)
    return place


def _joined(parts: list[ast.expr], values: dict[str, ast.expr], depth: int) -> _Place | None:
    places = [_place(part, values, depth + 1) for part in parts]
    if not places or places[0] is None:
        return None
    base, path = places[0]
    for place in places[1:]:
        if place is None or place[0] != "folder":
            return None
        # `folder + "/../lib"`: the slash only separates.
        path = posixpath.join(path, place[1].lstrip("/"))
    return base, posixpath.normpath(path)


def _above(place: _Place | None) -> _Place | None:
    return place and (place[0], posixpath.normpath(posixpath.join(place[1], "..")))
