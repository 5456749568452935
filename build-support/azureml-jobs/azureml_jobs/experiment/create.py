"""Write a new experiment: all of it, or nothing."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.experiment.name import ExperimentName, option, parse_name
from azureml_jobs.experiment.resolve import ResolveRequest, own_resolve
from azureml_jobs.experiment.template import NewFile, filled_template

# Folders that are being written have this name, the number of the process, and a random end. Pants
# does not see them.
_UNFINISHED = ".new-experiment-"
# What a folder gets that is made to hold experiments.
_PACKAGE = (
    NewFile("__init__.py", b""),
    NewFile(
        "BUILD",
        b"# What the experiments below share, by import.\npython_sources()\n",
    ),
)


@dataclass(frozen=True)
class ExperimentRequest:
    """What was asked for, and what Pants knows of the repository.

    `taken` says of top-level modules what they belong to. `owners` are addresses of targets that
    would own the experiment's Python files besides its own. `resolve` is one of its own.
    """

    name: str | None
    source_root: str
    template: str
    taken: Mapping[str, str]
    owners: tuple[str, ...] = ()
    resolve: ResolveRequest | None = None


def create_experiment(root: Path, request: ExperimentRequest) -> str:
    """Write what is asked for into the repository at `root`, and return what to tell the user."""
    if request.resolve is None:
        return _create(root, request, "")
    with own_resolve(root, request.resolve) as told:
        if not request.name:
            return told or f"The resolve `{request.resolve.name}` is there already."
        wrote = _create(root, request, request.resolve.name)
        return f"{told}\n{wrote}" if told else wrote


def _create(root: Path, request: ExperimentRequest, resolve: str) -> str:
    name = parse_name(request.name, request.taken, request.source_root)
    folder = f"{request.source_root}/{name.path}"
    files = filled_template(root, request.template, name, folder, resolve)
    try:
        written = _Place(root, request, name).write(files)
    except OSError as error:
        raise OutsideError(folder, f"it could not be written: {error.strerror}") from error
    listed = "".join(f"  {path}\n" for path in written)
    return f"""\
Wrote {folder}, an experiment that runs as it is:
{listed}
Next:
  ./pants run {folder}:local
  ./pants run {folder}:job
  ./pants test {folder}::

What to change first: {folder}/README.md"""


class _Place:
    """Where an experiment goes: its folder, and those above it down from the source root."""

    def __init__(self, root: Path, request: ExperimentRequest, name: ExperimentName) -> None:
        self.root = root
        self.request = request
        self.name = name
        base = root / request.source_root
        self.levels = [base.joinpath(*name.parts[:depth]) for depth in range(len(name.parts) + 1)]

    def write(self, files: Iterable[NewFile]) -> list[str]:
        """Write `files`, and return the paths of all that were written.

        They are written beside, into a folder that Pants does not see, which is then renamed: so
        nobody sees half an experiment, and of two at once one finds that the folder exists.
        """
        for level in self.levels[:-1]:
            _remove_abandoned(level)
        while True:
            self._check()
            missing = (level for level in self.levels if not level.exists())
            top = next(missing, self.levels[-1])
            beside = top.parent / f"{_UNFINISHED}{os.getpid()}-{secrets.token_hex(8)}"
            try:
                paths = self._write_below(beside, top, files)
                if _renamed(beside, top):
                    return sorted(self._shown(top / path) for path in paths)
            finally:
                shutil.rmtree(beside, ignore_errors=True)

    def _write_below(self, beside: Path, top: Path, files: Iterable[NewFile]) -> list[Path]:
        new = self.levels[self.levels.index(top) :]
        paths = []
        for level in new:
            content = files if level == new[-1] else _PACKAGE
            # Names of modules begin in the source root: it is not a package.
            for file in content if level != self.levels[0] else ():
                path = level.relative_to(top) / file.path
                target = beside / path
                target.parent.mkdir(parents=True, exist_ok=True)
                # The user's umask decides about the rest.
                mode = 0o777 if file.executable else 0o666
                descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(file.content)
                paths.append(path)
        return paths

    def _check(self) -> None:
        typed = option(self.name.path)
        if self.levels[-1].exists() or self.levels[-1].is_symlink():
            raise JobError(
                typed,
                f"{self._shown(self.levels[-1])} exists already",
                f"Take another name, such as `--name={self._free_name()}`, or remove it first.",
            )
        other = f"Take another name, such as `--name={'_'.join(self.name.parts)}_2`."
        for level in self.levels[1:]:
            module = level.with_name(f"{level.name}.py")
            if module.exists():
                raise JobError(typed, f"{self._shown(module)} is a module of the same name", other)
            if not level.is_dir() and (level.exists() or level.is_symlink()):
                raise JobError(typed, f"{self._shown(level)} is not a folder", other)
        if self.request.owners:
            raise JobError(
                typed,
                f"Python files there belong to {', '.join(self.request.owners)} already",
                f"Write `--name={'_'.join(self.name.parts)}`, for example.",
            )
        pattern = ignoring_pattern(self.root, self._shown(self.levels[-1] / "main.py"))
        if pattern:
            raise JobError(
                typed,
                f"git and Pants would ignore the folder, because of {pattern}",
                f"Write `--name={'_'.join(self.name.parts)}_experiment`, for example.",
            )

    def _free_name(self) -> str:
        number = 2
        while self.levels[-1].with_name(f"{self.levels[-1].name}_{number}").exists():
            number += 1
        return f"{self.name.path}_{number}"

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def _remove_abandoned(folder: Path) -> None:
    """Remove what processes left behind in `folder` that were killed while they wrote."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        number = path.name[len(_UNFINISHED) :].partition("-")[0]
        if number.isdecimal():
            try:
                os.kill(int(number), 0)
            except ProcessLookupError:
                shutil.rmtree(path, ignore_errors=True)
            except OSError:
                # It runs, and belongs to somebody else.
                continue


def _renamed(source: Path, target: Path) -> bool:
    """Rename a folder; False when somebody else made `target` since we looked."""
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise
        return False
    return True


def ignoring_pattern(root: Path, path: str) -> str:
    """Return the line of a `.gitignore` that hides `path`; empty when none does, or without git."""
    try:
        ran = subprocess.run(
            ["git", "-c", "core.quotePath=false", "check-ignore", "--verbose", "--", path],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return ""
    source = ran.stdout.decode(errors="replace").partition("\t")[0]
    return f"`{source}`" if source and ran.returncode == 0 else ""
