"""Read which path an expression names: `Path(__file__).parent / "lib"`."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Sequence
from typing import Literal

from azureml_jobs.imports.dotted import last_name

Base = Literal["file", "folder"]
# A path relative to the folder of the file itself, or to the working folder. `@` is the file.
Place = tuple[Base, str]

_SAME_PLACE = {
    "abspath", "realpath", "normpath", "resolve", "absolute", "expanduser", "str", "Path",
    "PurePath", "PosixPath", "fspath", "as_posix", "getfile", "getsourcefile", "__str__",
}  # fmt: skip
_WORKING_FOLDER = {"getcwd", "cwd"}
# Two names may be assigned from each other.
_DEEPEST = 12


class Places:
    """Reads expressions of one module, by what is assigned to its names."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        self._values = {
            node.targets[0].id: node.value
            for node in nodes
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }

    def of(self, expression: ast.expr | None, depth: int = 0) -> Place | None:
        """Return the place that an expression names, None if only the run knows it."""
        if depth > _DEEPEST or expression is None:
            return None
        if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
            text = expression.value
            slash = "/" if text.startswith("/") else ""
            return "folder", slash + posixpath.normpath(text.lstrip("/"))
        if isinstance(expression, ast.Name):
            value = self._values.get(expression.id)
            return ("file", "@") if expression.id == "__file__" else self.of(value, depth + 1)
        if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Div | ast.Add):
            return self._joined([expression.left, expression.right], depth)
        if isinstance(expression, ast.JoinedStr):
            parts = [e.value if isinstance(e, ast.FormattedValue) else e for e in expression.values]
            return self._joined(parts, depth)
        if isinstance(expression, ast.Subscript):
            return self._parents(expression, depth)
        if isinstance(expression, ast.Attribute):
            if expression.attr == "parent":
                return _above(self.of(expression.value, depth + 1))
            return ("folder", "..") if expression.attr == "pardir" else None
        return self._called(expression, depth) if isinstance(expression, ast.Call) else None

    def _called(self, call: ast.Call, depth: int) -> Place | None:
        name = last_name(call.func)
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if name in _WORKING_FOLDER:
            return "folder", "."
        if name == "currentframe":
            return "file", "@"
        if name == "joinpath" and owner:
            return self._joined([owner, *call.args], depth)
        if name == "join" or (name in _SAME_PLACE and len(call.args) > 1):
            return self._joined(call.args, depth)
        place = self.of(call.args[0] if call.args else owner, depth + 1)
        if name == "dirname":
            return _above(place)
        return place if name in _SAME_PLACE else None

    def _parents(self, node: ast.Subscript, depth: int) -> Place | None:
        """Return the place of `path.parents[1]`."""
        if not isinstance(node.value, ast.Attribute) or node.value.attr != "parents":
            return None
        if not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, int):
            return None
        place = self.of(node.value.value, depth + 1)
        for _ in range(min(node.slice.value, _DEEPEST) + 1):
            place = _above(place)
        return place

    def _joined(self, parts: Sequence[ast.expr], depth: int) -> Place | None:
        places = [self.of(part, depth + 1) for part in parts]
        if not places or places[0] is None:
            return None
        base, path = places[0]
        for place in places[1:]:
            if place is None or place[0] != "folder":
                return None
            # `folder + "/../lib"`: the slash only separates.
            path = posixpath.join(path, place[1].lstrip("/"))
        return base, posixpath.normpath(path)


def _above(place: Place | None) -> Place | None:
    return place and (place[0], posixpath.normpath(posixpath.join(place[1], "..")))
