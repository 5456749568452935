"""What a command loads, and what it would miss."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClosureFile:
    """A file to send.

    path: its path in the repository.
    name: its path in the snapshot.
    why: `run by the command`, `imported by src/x/main.py:3`, `named in the command`.
    """

    path: str
    name: str
    why: str


@dataclass(frozen=True)
class OutsideModule:
    """An import that no file of the snapshot satisfies, and that is no module of Python itself.

    module, names: as in `import module` or `from module import names`.
    path, line: the import. For a module that the command starts, and for the code of `python -c`,
        the path is the key of the command and the line is 0.
    is_optional: whether the code does without it.
    nearest: a file of the repository that seems to be meant, but is not found under this name.
    remedy: what to write so that `nearest` is found; None for a file that only has a similar name.
    is_own: whether `nearest` is exactly that module, by a dotted name and among the files that can
        be sent. Then no package of an unknown environment is to be expected to have it.
    """

    module: str
    names: tuple[str, ...]
    path: str
    line: int
    is_optional: bool
    search_path: tuple[str, ...]
    nearest: str | None = None
    remedy: str | None = None
    is_own: bool = False


@dataclass(frozen=True)
class Closure:
    """`errors` and `warnings` are messages for the user."""

    files: tuple[ClosureFile, ...]
    modules: tuple[OutsideModule, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
