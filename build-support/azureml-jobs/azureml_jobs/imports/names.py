"""Which names a module binds, and which strings in it may be paths."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterable, Iterator

from azureml_jobs.imports.places import Places
from azureml_jobs.imports.statements import dotted_name

# With these, a module may have names and submodules that its text does not show.
_DYNAMIC = (
    "globals()", "vars(", "locals(", "setattr(", "exec(", "sys.modules", "__path__", "__getattr__",
    "extend_path", "declare_namespace", "lazy",
)  # fmt: skip
_LONGEST_PATH = 200
# The text of a command, as in `os.system("python evaluate.py")`.
_COMMAND = re.compile(r"\s*(\S*/)?(python[\d.]*|bash|sh|torchrun|accelerate|deepspeed)\s")
_NO_PATH = re.compile(r"[\s*?\[\]{}<>|\"'`\\$%:;,()=&^!]|^[/~]|^\.+$|^-|//")
# In scripts of R, Julia and the like.
_STRING = re.compile(r"""["']([^"'\n]+)["']""")
_SOURCED = re.compile(r"""\b(?:source|include)\(\s*["']([^"'\n]+)["']""")


def bound_names(tree: ast.Module, text: str) -> tuple[str, ...] | None:
    """Return the names that the module binds, None if its text does not show all of them."""
    if any(sign in text for sign in _DYNAMIC):
        return None
    names: set[str] = set()
    open_nodes: list[ast.AST] = [tree]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            if "global " in text:
                inner = (each for each in ast.walk(node) if isinstance(each, ast.Global))
                names.update(name for each in inner for name in each.names)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound = {each.asname or each.name.partition(".")[0] for each in node.names}
            if "*" in bound:
                return None
            names |= bound
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        open_nodes.extend(ast.iter_child_nodes(node))
    return tuple(sorted(names))


def exported_names(tree: ast.Module) -> tuple[str, ...]:
    """Return the literals in `__all__`: names that `from module import *` may import as modules."""
    found: list[str] = []
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            strings = (e.value for e in ast.walk(node) if isinstance(e, ast.Constant))
            found.extend(value for value in strings if isinstance(value, str))
    return tuple(found)


def path_literals(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    """Yield strings that may be relative paths, with their lines.

    `nodes` are in breadth-first order, so that what a node consumes is known before its parts.
    """
    skipped: set[int] = set()
    for node in nodes:
        if id(node) in skipped:
            skipped.update(map(id, ast.iter_child_nodes(node)))
        elif isinstance(node, ast.JoinedStr):
            skipped.update(map(id, node.values))
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            text = "".join(map(str, parts))
            yield from ((path, node.lineno) for path in _paths_of_command(text))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        elif isinstance(node, ast.Call) and _is_join(node):
            skipped.update(map(id, node.args))
            yield posixpath.join(*map(ast.literal_eval, node.args)), node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if may_be_path(node.value):
                yield posixpath.normpath(node.value), node.lineno
            yield from ((path, node.lineno) for path in _paths_of_command(node.value))


def _paths_of_command(text: str) -> list[str]:
    """Return the words of a command that may be paths, none when the text is no command."""
    words = text.split() if _COMMAND.match(text) else []
    return [posixpath.normpath(word) for word in words if may_be_path(word)]


def own_files(nodes: Iterable[ast.AST], places: Places) -> Iterator[tuple[str, int]]:
    """Yield paths that the code puts together from `__file__`, with their lines."""
    for node in nodes:
        if isinstance(node, ast.BinOp | ast.JoinedStr | ast.Call):
            base, path = places.of(node) or ("folder", "")
            if base == "file" and posixpath.basename(path) not in ("", ".", "..", "@"):
                yield path, node.lineno


def _is_join(call: ast.Call) -> bool:
    """Return whether it is `os.path.join("a", "b")`, of literals only."""
    return dotted_name(call.func).endswith("path.join") and all(
        isinstance(arg, ast.Constant) and isinstance(arg.value, str) and _may_be_part(arg.value)
        for arg in call.args
    )


def may_be_path(text: str) -> bool:
    """Return whether a string looks like the relative path of a file."""
    return _may_be_part(text) and ("/" in text or "." in text)


def _may_be_part(text: str) -> bool:
    return bool(text) and len(text) <= _LONGEST_PATH and not _NO_PATH.search(text)


def sourced_files(text: str) -> list[str]:
    """Return the scripts that one of R or Julia loads: `source("a.R")`, `include("a.jl")`."""
    found = (posixpath.normpath(path) for path in _SOURCED.findall(text))
    return list(dict.fromkeys(path for path in found if may_be_path(path)))


def path_strings(text: str) -> Iterator[tuple[str, int]]:
    """Yield strings of such a script that may be relative paths, with their lines."""
    for number, line in enumerate(text.split("\n"), start=1):
        for string in _STRING.findall(line):
            if may_be_path(string):
                yield posixpath.normpath(string), number
