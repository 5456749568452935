"""What a command loads, and what it would miss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from azureml_jobs.protocol import NeededFile

# The beginning of the reason why a file is sent that Python or another interpreter starts with.
RUN = "run by"
# The reason for a file that only targets name.
DECLARED = "declared as a dependency"


@dataclass(frozen=True)
class Wanted:
    """An import by its absolute name.

    module, names: as in `import module` or `from module import names`.
    path, line: the import. For a module that the command starts, and for the code of `python -c`,
        the path is the key of the command and the line is 0.
    is_optional: whether the code does without it.
    """

    module: str
    names: tuple[str, ...]
    path: str
    line: int
    is_optional: bool = False

    @property
    def statement(self) -> tuple[str, int, str, tuple[str, ...]]:
        return self.path, self.line, self.module, self.names

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    @property
    def dotted_names(self) -> tuple[str, ...]:
        """The modules that it may mean: `from a import b` loads `a.b` where that is one."""
        return tuple(f"{self.module}.{name}" for name in self.names) or (self.module,)


@dataclass(frozen=True)
class OutsideModule(Wanted):
    """An import that no file of the snapshot satisfies, and that is no module of Python itself.

    is_certain: False when the code searches folders that only the run knows.
    nearest: a file of ours that is exactly this module, but is not found under this name. No
        package of an unknown environment is to be expected to have it.
    similar: a file that may be meant.
    remedy: what to write so that the one or the other is found.
    """

    is_certain: bool = True
    nearest: str | None = None
    similar: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Closure:
    """`files` do not name their owners yet; `errors` and `warnings` are messages for the user.

    `syntax_errors` are what no Python can load, `version_errors` what the one cannot that the code
    was read for.
    """

    files: tuple[NeededFile, ...]
    modules: tuple[OutsideModule, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    syntax_errors: tuple[str, ...] = ()
    version_errors: tuple[str, ...] = ()


def chain_to(path: str, files: Iterable[NeededFile]) -> tuple[NeededFile, ...]:
    """Return the files from the one that the command itself needs to `path`, each by the last.

    There are none if `path` is not among the files.
    """
    by_path = {file.path: file for file in files}
    # A file that a target declares is there for the files of that target.
    by_owner = {file.owner: file for file in reversed(by_path.values())}
    chain: list[NeededFile] = []
    file = by_path.get(path)
    while file is not None and file not in chain:
        chain.append(file)
        file = (by_path.get(file.by) or by_owner.get(file.by)) if file.by else None
    return tuple(reversed(chain))
