"""Read which path an expression names, and which folders a module adds to `sys.path`."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from azureml_jobs.imports.statements import dotted_name, last_name

Base = Literal["file", "folder"]
# A path relative to the folder of the file itself, or to the working folder. `@` is the file.
Place = tuple[Base, str]

_SAME_PLACE = {
    "abspath", "realpath", "normpath", "resolve", "absolute", "expanduser", "str", "Path",
    "PurePath", "PosixPath", "fspath", "as_posix", "getfile", "getsourcefile", "__str__",
}  # fmt: skip
# Two names may be assigned from each other.
_DEEPEST = 12


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
        if depth > _DEEPEST:
            return None
        match expression:
            case ast.Constant(value=str(text)):
                slash = "/" if text.startswith("/") else ""
                return "folder", slash + posixpath.normpath(text.lstrip("/"))
            case ast.Name(id="__file__"):
                return "file", "@"
            case ast.Name(id=name):
                return self.of(self._values.get(name), depth + 1)
            case ast.BinOp(left=left, op=ast.Div() | ast.Add(), right=right):
                return self._joined([left, right], depth)
            case ast.JoinedStr(values=parts):
                values = [e.value if isinstance(e, ast.FormattedValue) else e for e in parts]
                return self._joined(values, depth)
            case ast.Subscript(
                value=ast.Attribute(value=path, attr="parents"), slice=ast.Constant(value=int(up))
            ):
                return _above(self.of(path, depth + 1), min(up, _DEEPEST) + 1)
            case ast.Attribute(value=path, attr="parent"):
                return _above(self.of(path, depth + 1))
            case ast.Attribute(attr="pardir"):
                return "folder", ".."
            case ast.Call():
                return self._called(expression, depth)
        return None

    def _called(self, call: ast.Call, depth: int) -> Place | None:
        name = last_name(call.func)
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if name in ("getcwd", "cwd"):
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

    def _joined(self, parts: Sequence[ast.expr], depth: int) -> Place | None:
        first, *others = [self.of(part, depth + 1) for part in parts] or [None]
        if first is None or not all(place and place[0] == "folder" for place in others):
            return None
        # `folder + "/../lib"`: the slash only separates.
        below = (place[1].lstrip("/") for place in others if place)
        return first[0], posixpath.normpath(posixpath.join(first[1], *below))

    def changes(self, nodes: Iterable[ast.AST]) -> Iterator[PathChange]:
        """Yield the changes of `sys.path` in the code."""
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                yield from self._changes_of_call(node)

    def _changes_of_call(self, call: ast.Call) -> Iterator[PathChange]:
        function, folders, is_first = dotted_name(call.func), call.args[:1], False
        if function == "sys.path.insert" and len(call.args) > 1:
            position, *folders = call.args[:2]
            is_first = isinstance(position, ast.Constant) and position.value in (0, 1)
        elif function == "sys.path.extend":
            folders = call.args[0].elts if isinstance(call.args[0], ast.List) else call.args
        elif function not in ("sys.path.append", "site.addsitedir"):
            return
        for folder in folders:
            base, path = self.of(folder) or (None, "")
            yield PathChange(base, path, is_first)


def _above(place: Place | None, levels: int = 1) -> Place | None:
    return place and (place[0], posixpath.normpath(posixpath.join(place[1], *[".."] * levels)))
