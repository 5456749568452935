"""Read what the source of a module or of a notebook imports and names."""

from __future__ import annotations

import ast
import json
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.util import decode_source
from typing import Any, Literal

from azureml_jobs.imports.names import bound_names, exported_names, own_files, path_literals
from azureml_jobs.imports.places import PathChange, Places
from azureml_jobs.imports.statements import Import, find_imports, imports_by_line

PRAGMA = "# pants: no-infer-dep"
_EXTENDS_PATH = re.compile(r"\bextend_path\b|\bdeclare_namespace\b|__path__\s*(?:\+?=|\.)")
_MAGIC = re.compile(r"(\s*)(?:[%!?]|[\w, ]+=\s*[%!]|[^#]*\?\s*$)")
# Magics of a whole cell that runs as Python all the same.
_PYTHON_CELLS = {"%%time", "%%timeit", "%%capture", "%%prun", "%%python", "%%python3"}
# Lines whose syntax newer versions extended, or may: f-strings, `type`, type parameters, `except`.
_OF_NEWER_VERSIONS = re.compile(
    r"""\b[rR]?[fFtT][rR]?["']|^\s*type\s+\w|^\s*(async\s+)?(def|class)\s+\w+\s*\[|^\s*except\b"""
)


@dataclass(frozen=True)
class SyntaxProblem:
    """What Python refuses in a file: the line, its text and Python's reason.

    who: which Python refuses it: "every" one, the "version" that it was read for, or "unknown".
    """

    line: int
    text: str
    reason: str
    who: Literal["every", "version", "unknown"] = "unknown"


@dataclass(frozen=True)
class Source:
    """What a file imports and names.

    literals: strings that may be relative paths, with their lines.
    own_files: paths that it names relative to its own folder, by `__file__`, with their lines.
    path_changes: folders that it adds to `sys.path`.
    exported: the literals in `__all__`.
    names: what it binds; None if the text does not show all of that.
    extends_path: whether it is a package with parts in other folders, too.
    makes_modules: whether it may make modules that are no files, as `six.moves` is made.
    problem: what Python refuses in it. Where it cannot be parsed, the imports come from a reading
        by lines, so that none is lost.
    """

    imports: tuple[Import, ...] = ()
    literals: tuple[tuple[str, int], ...] = ()
    own_files: tuple[tuple[str, int], ...] = ()
    path_changes: tuple[PathChange, ...] = ()
    exported: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    extends_path: bool = False
    makes_modules: bool = False
    problem: SyntaxProblem | None = None


def read_source(content: bytes, path: str, python: tuple[int, int]) -> Source:
    """Read a Python file, or the code cells of a notebook, for this version of Python on Linux."""
    text, is_notebook = _decoded(content), path.endswith(".ipynb")
    if is_notebook:
        text = _code_of_notebook(text)
    tree, problem = _parse(text if is_notebook else content, text, python)
    try:
        source = _read_tree(tree, text, python) if tree is not None else None
    except RecursionError:
        source = None
    source = source or Source(imports=_without_pragma(imports_by_line(text), text))
    return replace(source, problem=problem)


def _read_tree(tree: ast.Module, text: str, python: tuple[int, int]) -> Source:
    nodes = list(ast.walk(tree))
    places = Places(nodes if "__file__" in text or "sys.path" in text else ())
    return Source(
        imports=_without_pragma(find_imports(tree, text, python), text),
        literals=_by_line(path_literals(nodes)),
        own_files=_by_line(own_files(nodes, places)) if "__file__" in text else (),
        path_changes=tuple(places.changes(nodes)) if "sys.path" in text else (),
        exported=exported_names(tree),
        names=bound_names(tree, text),
        extends_path=bool(_EXTENDS_PATH.search(text)),
        makes_modules="sys.modules" in text,
    )


def _by_line(found: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(set(found), key=lambda each: (each[1], each[0])))


def _without_pragma(imports: Iterable[Import], text: str) -> tuple[Import, ...]:
    """Return the imports in their order, but for those that the author leaves out."""
    lines = text.split("\n")
    kept = {each for each in imports if PRAGMA not in lines[each.line - 1]}
    return tuple(sorted(kept, key=lambda each: (each.line, each.module, each.names)))


def _decoded(content: bytes) -> str:
    try:
        return decode_source(content)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        text = content.decode("utf-8", errors="replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")


def _code_of_notebook(text: str) -> str:
    """Return the code cells of a notebook, one after another."""
    try:
        notebook: Any = json.loads(text)
        cells = [cell for cell in notebook["cells"] if cell.get("cell_type") == "code"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
    sources = ("".join(cell.get("source") or ()) for cell in cells)
    return "\n".join(line for source in sources for line in _code_of_cell(source.splitlines()))


def _code_of_cell(lines: list[str]) -> Iterator[str]:
    """Yield the lines of a cell, with `pass` in place of what only IPython understands."""
    first = lines[0].strip() if lines else ""
    is_python = not first.startswith("%%") or first.split()[0] in _PYTHON_CELLS
    for line in lines:
        magic = _MAGIC.match(line) if is_python else None
        yield f"{magic[1]}pass" if magic else line if is_python else ""


def _parse(
    content: bytes | str, text: str, python: tuple[int, int]
) -> tuple[ast.Module | None, SyntaxProblem | None]:
    """Return the syntax tree of a file, if it has one, and what is wrong with it.

    `text` is the decoded content. A string is the code of a notebook, in which `await` and
    `return` may stand anywhere: it is only parsed.
    """
    version = python[1] if python < sys.version_info[:2] else None
    tree = None
    try:
        with warnings.catch_warnings():
            # Invalid escapes and the like are not ours to report.
            warnings.simplefilter("ignore")
            tree = ast.parse(content, feature_version=version)
            if isinstance(content, bytes):
                # The parser takes more, such as `return` outside of a function.
                compile(tree, "<file>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return tree, _problem(error, content, text, python)
    except (ValueError, RecursionError, MemoryError) as error:
        return tree, SyntaxProblem(1, text.partition("\n")[0], str(error))
    return tree, None


def _problem(
    error: SyntaxError, content: bytes | str, text: str, python: tuple[int, int]
) -> SyntaxProblem:
    lines = text.split("\n")
    line = min(max(error.lineno or 1, 1), len(lines))
    shown = lines[line - 1].strip()
    own = sys.version_info[:2]
    is_of_version = _OF_NEWER_VERSIONS.search(lines[line - 1]) is not None
    if python < own and not is_of_version:
        is_of_version = _is_valid_here(content)
    if isinstance(content, str) or (is_of_version and python > own):
        return SyntaxProblem(line, shown, error.msg)
    return SyntaxProblem(line, shown, error.msg, "version" if is_of_version else "every")


def _is_valid_here(content: bytes | str) -> bool:
    try:
        ast.parse(content)
    except SyntaxError:
        return False
    return True
