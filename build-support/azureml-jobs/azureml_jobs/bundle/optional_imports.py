"""Find out whether a file can do without one of its imports."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TYPE_CHECKING = re.compile(r"if\s+(\w+\.)?TYPE_CHECKING\b")
_SUPPRESSED = re.compile(r"with\s+(\w+\.)?suppress\([^)]*\b(ImportError|ModuleNotFoundError)\b")
_CAUGHT = re.compile(r"except\s*(:|\*?.*\b(ImportError|ModuleNotFoundError|Exception)\b)")
_OTHER_CLAUSE = re.compile(r"(except|else|finally)\b|#")


def is_optional_import(text: str, line: int, module: str) -> bool:
    """Return whether the import is for types alone, or its failure is caught.

    `line` counts from 1. Every other plain import of the module must be optional as well. The text
    is read by its indentation, since it may be written for another Python than this one.
    """
    lines = text.splitlines()
    name = re.escape(module.partition(".")[0])
    plain = re.compile(rf"\s*(import|from)\s+{name}\b")
    imports = {line - 1, *(index for index, found in enumerate(lines) if plain.match(found))}
    return all(
        index < len(lines) and any(_is_guard(lines, header) for header in _headers(lines, index))
        for index in imports
    )


def _headers(lines: list[str], index: int) -> Iterator[int]:
    """Yield the line itself, and each above it that is indented less than all between."""
    depth = _indent(lines[index]) + 1
    for above in range(index, -1, -1):
        text = lines[above]
        if text.strip() and not text.lstrip().startswith("#") and _indent(text) < depth:
            depth = _indent(text)
            yield above


def _is_guard(lines: list[str], header: int) -> bool:
    """Return whether the block that `header` opens may do without what it imports."""
    text = lines[header].lstrip()
    if _TYPE_CHECKING.match(text) or _SUPPRESSED.match(text):
        return True
    if not re.match(r"try\s*:", text):
        return False
    depth = _indent(lines[header])
    for below in lines[header + 1 :]:
        clause = below.lstrip()
        if clause and _indent(below) <= depth:
            if _indent(below) < depth or not _OTHER_CLAUSE.match(clause):
                return False
            if _CAUGHT.match(clause):
                return True
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
