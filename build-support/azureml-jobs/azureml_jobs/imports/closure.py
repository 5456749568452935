"""Find every file that a command loads."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from azureml_jobs.imports.questions import Question
from azureml_jobs.jobfile.code import Code
from azureml_jobs.jobfile.command.code import CommandCode


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
    path, line: the import; the line is 0 for a module that the command starts.
    is_optional: whether the code does without it.
    nearest: a file of the repository that seems to be meant, but is not found under this name.
    remedy: what to write so that `nearest` is found, or None.
    """

    module: str
    names: tuple[str, ...]
    path: str
    line: int
    is_optional: bool
    search_path: tuple[str, ...]
    nearest: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Closure:
    files: tuple[ClosureFile, ...]
    modules: tuple[OutsideModule, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def find_closure(
    code: Code,
    roots: tuple[str, ...],
    starts: CommandCode,
    *,
    extra: tuple[str, ...] = (),
    where: str,
    python: tuple[int, int],
    standard_library: frozenset[str],
) -> Generator[Question, Any, Closure]:
    """Ask what must be known, and return every file that the command loads and names.

    roots: the source roots of the repository; "" is the repository itself.
    extra: repository paths of files that targets declare; their imports are followed, too.
    where: the key of the command, for messages: `src/x/azure-ml-job.yaml: command`.
    standard_library: the names of the modules of Python itself.
    """
    raise NotImplementedError
    yield
