"""Parse Python for the version that will run it, and find what that version refuses."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from dataclasses import dataclass

# Lines whose syntax newer versions extended, or may: f-strings, `type`, type parameters, `except`.
_OF_NEWER_VERSIONS = re.compile(
    r"""\b[rR]?[fFtT][rR]?["']|^\s*type\s+\w|^\s*(async\s+)?(def|class)\s+\w+\s*\[|^\s*except\b"""
)


@dataclass(frozen=True)
class SyntaxProblem:
    """What Python refuses in a file: the line, its text and Python's reason.

    is_wrong_here: whether the version that it was read for certainly refuses it.
    is_always_wrong: whether every version does.
    """

    line: int
    text: str
    reason: str
    is_wrong_here: bool = False
    is_always_wrong: bool = False


def parse(
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
    is_file = isinstance(content, bytes)
    return SyntaxProblem(
        line,
        shown,
        error.msg,
        is_wrong_here=is_file and (python <= own or not is_of_version),
        is_always_wrong=is_file and not is_of_version,
    )


def _is_valid_here(content: bytes | str) -> bool:
    try:
        ast.parse(content)
    except SyntaxError:
        return False
    return True
