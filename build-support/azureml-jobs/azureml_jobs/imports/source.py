"""Read what the source of a module or of a notebook imports and names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Import:
    """One import statement, or one call of `import_module` with a literal.

    names: those of `from module import names`; empty for `import module`.
    level: the number of dots of a relative import.
    is_optional: whether the code does without it, or may never reach it.
    """

    module: str
    names: tuple[str, ...]
    level: int
    line: int
    is_optional: bool = False


@dataclass(frozen=True)
class Source:
    """What a file imports and names.

    literals: strings that may be relative paths, with their lines.
    syntax_error: its line and text. The imports then come from a reading by lines, so that none is
        lost.
    """

    imports: tuple[Import, ...] = ()
    literals: tuple[tuple[str, int], ...] = ()
    syntax_error: tuple[int, str] | None = None


def read_source(content: bytes, path: str, python: tuple[int, int]) -> Source:
    """Read a `.py` file or the code cells of a notebook, for this version of Python on Linux."""
    raise NotImplementedError
