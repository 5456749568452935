"""Write the folder of a new experiment: all of it, or nothing."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.experiment.copied import renamed
from azureml_jobs.experiment.name import option, parse_name
from azureml_jobs.experiment.template import (
    PLAIN,
    Files,
    filled_template,
    missing_requirements,
    template_names,
)

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
    targets that would own the experiment's Python files in addition to its own. `origin` is a
    template or one of the `experiments`, and `files` are those of that experiment. `lock` is the
    path of the experiments' lock without its suffix, and `locked` are the packages in it.
    """

    name: str | None
    source_root: str
    template: str
    taken: Mapping[str, str]
    owners: tuple[str, ...] = ()
    origin: str = PLAIN
    experiments: Sequence[str] = ()
    files: Files = field(default_factory=dict)
    lock: str = ""
    locked: Collection[str] = ()


def create_experiment(root: Path, request: ExperimentRequest) -> str:
    """Write the experiment into the repository at `root`, and return what to report."""
    parts = parse_name(request.name, request.source_root, request.taken)
    base = root / request.source_root
    folder = base.joinpath(*parts)
    content = _files(root, request, parts)
    try:
        _remove_abandoned(base)
        files = None
        while files is None:
            _check_is_free(root, base, parts, request.owners)
            files = _write(base, parts, content)
    except OSError as error:
        raise OutsideError(
            _relative(folder, root), f"it could not be written: {error.strerror}"
        ) from error
    written = sorted(_relative(path, root) for path in files)
    missing = missing_requirements(root / request.template, request.origin, request.locked)
    return _report(request, _relative(folder, root), written, missing)


def _files(root: Path, request: ExperimentRequest, parts: Sequence[str]) -> Files:
    """Return the files of the template, or those of the experiment under the new name."""
    templates = template_names(root / request.template)
    if request.origin in templates:
        return filled_template(root, request.template, request.origin, request.source_root, parts)
    copied = experiment_of(request.origin, request.source_root)
    if copied in request.experiments:
        return renamed(request.files, request.source_root, copied.split("/"), parts)
    raise JobError(
        f"--from={request.origin}",
        "there is no such template or experiment",
        suggestion(copied, [*templates, *request.experiments]),
    )


def experiment_of(origin: str, source_root: str) -> str:
    """Return the name of the experiment that `origin` names by it or by its folder."""
    return origin.rstrip("/").removeprefix(f"{source_root}/")


def _report(
    request: ExperimentRequest, address: str, files: Iterable[str], missing: Sequence[str]
) -> str:
    what, steps = "an experiment that runs as it is", [f"./pants run {address}:local"]
    if request.files:
        # The new name sorts elsewhere among imports, and may need more room.
        what, steps = f"a copy of {request.origin}", [f"./pants fmt {address}::"]
    if missing:
        what = "an experiment that runs as it is when its packages are locked"
        added = [f"echo '{line}' >>{request.lock}-requirements.txt" for line in missing]
        steps = [*added, "./pants sync-lockfiles", *steps]
    steps += [f"./pants run {address}:job", f"./pants test {address}::"]
    listed = "\n".join(f"  {file}" for file in files)
    report = "\n  ".join([f"Wrote {address}, {what}:\n{listed}\n\nNext:", *steps])
    readme = f"{address}/README.md"
    return report + (f"\n\nWhat to change first: {readme}" if readme in files else "")


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


def _write(base: Path, parts: Sequence[str], content_of: Files) -> list[Path] | None:
    """Write the experiment and the missing folders above it, and return the paths of all files.

    The files appear at once, by renaming a folder: nobody sees half an experiment. Returns None
    when another process made one of the folders meanwhile.
    """
    folder = base.joinpath(*parts)
    missing = [path for path in (folder, *folder.parents[: len(parts) - 1]) if not path.exists()]
    if not missing:
        return None
    files = {folder / name: file for name, file in content_of.items()}
    for package in missing[1:]:
        files.update({package / name: (content, False) for name, content in _PACKAGE.items()})
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{_UNFINISHED}{os.getpid()}-", dir=base) as unfinished:
        for path, (content, is_program) in files.items():
            written = unfinished / path.relative_to(base)
            written.parent.mkdir(parents=True, exist_ok=True)
            # The user's umask applies.
            written.touch(0o777 if is_program else 0o666)
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
