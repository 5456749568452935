"""Write the folder of a new experiment: all of it, or nothing."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.experiment.name import option, parse_name

# Neither Pants nor editors take a file with this suffix for code of the repository.
_SUFFIX = ".template"
# Files are written into such a folder first, which Pants ignores. The process's id and a random
# part follow.
_UNFINISHED = ".new-experiment-"
# The files of a new folder that holds experiments.
_PACKAGE = {
    "__init__.py": b"",
    "BUILD": b"# What the experiments below share, by import.\npython_sources()\n",
}


@dataclass(frozen=True)
class ExperimentRequest:
    """What the user asked for, and what Pants knows of the repository.

    `taken` maps top-level modules that imports find elsewhere to their owners. `owners` are the
    targets that would own the experiment's Python files in addition to its own.
    """

    name: str | None
    source_root: str
    template: str
    taken: Mapping[str, str]
    owners: tuple[str, ...] = ()


def create_experiment(root: Path, request: ExperimentRequest) -> str:
    """Write the experiment into the repository at `root`, and return what to report."""
    parts = parse_name(request.name, request.source_root, request.taken)
    base = root / request.source_root
    folder = base.joinpath(*parts)
    template = _filled_template(root, request, parts)
    try:
        _remove_abandoned(base)
        files = None
        while files is None:
            _check_is_free(root, base, parts, request.owners)
            files = _write(base, parts, template)
    except OSError as error:
        raise OutsideError(
            _relative(folder, root), f"it could not be written: {error.strerror}"
        ) from error
    listed = "".join(f"  {_relative(path, root)}\n" for path in sorted(files))
    address = _relative(folder, root)
    return f"""\
Wrote {address}, an experiment that runs as it is:
{listed}
Next:
  ./pants run {address}:local
  ./pants run {address}:job
  ./pants test {address}::

What to change first: {address}/README.md"""


def _filled_template(
    root: Path, request: ExperimentRequest, parts: Sequence[str]
) -> dict[str, tuple[bytes, int]]:
    """Return content and mode of each file of the experiment.

    Markers are replaced as plain text, for a template engine would want the `${{...}}` of job files
    for itself. The README of the template lists them.
    """
    markers = {
        b"{{module}}": ".".join(parts),
        b"{{folder}}": "/".join((request.source_root, *parts)),
        b"{{label}}": "-".join(parts),
        b"{{code}}": "/".join([".."] * len(parts)),
    }
    files = {}
    for path in filter(Path.is_file, (root / request.template).rglob(f"*{_SUFFIX}")):
        content = path.read_bytes()
        for marker, text in markers.items():
            content = content.replace(marker, text.encode())
        name = _relative(path, root / request.template).removesuffix(_SUFFIX)
        files[name] = (content, 0o777 if os.access(path, os.X_OK) else 0o666)
    if not files:
        raise JobError(
            request.template,
            f"there is no template of an experiment: no file `*{_SUFFIX}`",
            "Restore it from git, or set its path: `[new-experiment].template` in pants.toml.",
        )
    return files


def _check_is_free(root: Path, base: Path, parts: Sequence[str], owners: Sequence[str]) -> None:
    """Raise `JobError`, with a free name, when something is in the experiment's way."""
    problem, instead = _obstacle(root, base, parts, owners)
    if problem:
        candidates = itertools.chain([instead], (f"{instead}_{n}" for n in itertools.count(2)))
        free = next(name for name in candidates if not _blocker(base / name))
        raise JobError(option("/".join(parts)), problem, f"Write `--name={free}`, for example.")


def _obstacle(
    root: Path, base: Path, parts: Sequence[str], owners: Sequence[str]
) -> tuple[str, str]:
    """Return what is in the way, empty when nothing is, and the start of a name that avoids it."""
    folder, flat_name = base.joinpath(*parts), "_".join(parts)
    for level in reversed((folder, *folder.parents[: len(parts) - 1])):
        blocker = _blocker(level)
        if blocker and blocker != level:
            return f"{_relative(blocker, root)} is a module of the same name", flat_name
        if blocker and level == folder:
            return f"{_relative(level, root)} exists already", "/".join(parts)
        if blocker and not level.is_dir():
            return f"{_relative(level, root)} is not a folder", flat_name
    if owners:
        return f"Python files there belong to {', '.join(owners)} already", flat_name
    pattern = ignoring_pattern(root, _relative(folder / "main.py", root))
    if pattern:
        problem = f"git and Pants would ignore the folder, because of {pattern}"
        return problem, f"{flat_name}_experiment"
    return "", ""


def _blocker(folder: Path) -> Path | None:
    """Return what stands at the path of a folder, or is a module of the same name."""
    return next(filter(os.path.lexists, (folder.with_suffix(".py"), folder)), None)


def ignoring_pattern(root: Path, path: str) -> str:
    """Return the line of a `.gitignore` that hides `path`; empty when none does, or without git."""
    command = ["git", "-c", "core.quotePath=false", "check-ignore", "--verbose", "--", path]
    try:
        ran = subprocess.run(command, cwd=root, capture_output=True, text=True, errors="replace")
    except OSError:
        return ""
    source = ran.stdout.partition("\t")[0]
    return f"`{source}`" if source and ran.returncode == 0 else ""


def _write(
    base: Path, parts: Sequence[str], template: Mapping[str, tuple[bytes, int]]
) -> list[Path] | None:
    """Write the experiment and the missing folders above it, and return the paths of all files.

    The files appear at once, by renaming a folder: nobody sees half an experiment. Returns None
    when another process made one of the folders meanwhile.
    """
    folder = base.joinpath(*parts)
    missing = [path for path in (folder, *folder.parents[: len(parts) - 1]) if not path.exists()]
    if not missing:
        return None
    files = {folder / name: file for name, file in template.items()}
    for package in missing[1:]:
        files.update({package / name: (content, 0o666) for name, content in _PACKAGE.items()})
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{_UNFINISHED}{os.getpid()}-", dir=base) as unfinished:
        for path, (content, mode) in files.items():
            written = unfinished / path.relative_to(base)
            written.parent.mkdir(parents=True, exist_ok=True)
            # The user's umask applies.
            written.touch(mode)
            written.write_bytes(content)
        try:
            os.rename(unfinished / missing[-1].relative_to(base), missing[-1])
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            return None
    return list(files)


def _remove_abandoned(base: Path) -> None:
    """Remove what processes left behind that were killed while they wrote."""
    for path in base.glob(f"{_UNFINISHED}*-*"):
        # Processes of other users are running, too.
        with contextlib.suppress(PermissionError, ValueError):
            try:
                os.kill(int(path.name.split("-")[2]), 0)
            except ProcessLookupError:
                shutil.rmtree(path, ignore_errors=True)


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
