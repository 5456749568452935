"""Give experiments a resolve of their own: a list of packages, its lock, and what names them."""

from __future__ import annotations

import ast
import contextlib
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.base.atomic_file import write_file
from azureml_jobs.base.errors import JobError, OutsideError

# Where Pants' settings name the locks, and the macros the resolves of experiments.
SETTINGS = "pants.toml"
MACROS = "build-support/macros/resolves.py"
_OWN_RESOLVES = re.compile(r"^OWN_RESOLVES = (\(.*\))$", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")


@dataclass(frozen=True)
class ResolveRequest:
    """`resolves` are Pants': their names and locks. `default` is that of most experiments."""

    name: str
    default: str
    resolves: Mapping[str, str]

    @property
    def lock(self) -> str:
        return posixpath.join(posixpath.dirname(self.resolves[self.default]), f"{self.name}.lock")

    def requirements(self, resolve: str) -> str:
        folder = posixpath.dirname(self.resolves[self.default])
        return posixpath.join(folder, f"{resolve}-requirements.txt")


@contextlib.contextmanager
def own_resolve(root: Path, request: ResolveRequest) -> Iterator[str]:
    """Write the resolve unless it is there, and take it back when the block fails.

    It begins as a copy of the default one, with the same lock: so it serves at once. Gives what to
    tell the user. Raises `JobError` for a name that cannot be used.
    """
    changes = _changes(root, request)
    before = {path: _content(root / path) for path in changes}
    try:
        for path, text in changes.items():
            write_file(root / path, text.encode())
        yield _told(request) if changes else ""
    except BaseException as error:
        for path, content in before.items():
            if content is None:
                (root / path).unlink(missing_ok=True)
            else:
                write_file(root / path, content)
        if isinstance(error, OSError):
            raise OutsideError(
                f"--resolve={request.name}", f"it could not be written: {error.strerror}"
            ) from error
        raise


def _told(request: ResolveRequest) -> str:
    return f"""\
Wrote the resolve `{request.name}`, which begins as a copy of `{request.default}`:
  {request.lock}
  {request.requirements(request.name)}
It is named in {SETTINGS} and {MACROS}.

Next: write the versions that it shall have into {request.requirements(request.name)}, then
  ./pants sync-lockfiles --resolve={request.name}
An experiment takes its packages from it by `experiment(resolve="{request.name}")` in its BUILD.
"""


def _changes(root: Path, request: ResolveRequest) -> dict[str, str]:
    """New contents of files by their paths; none when the resolve is there already."""
    typed = f"--resolve={request.name}"
    if not _NAME.fullmatch(request.name):
        raise JobError(
            typed,
            "this is no name for a resolve",
            "Write lower-case letters and digits, parts joined by `-` or `_`: `--resolve=older`.",
        )
    macros = _read(root, MACROS)
    listed = _OWN_RESOLVES.search(macros)
    if listed is None:
        raise JobError(
            MACROS, "there is no line `OWN_RESOLVES = (…)`", "Write `OWN_RESOLVES = ()`."
        )
    own = ast.literal_eval(listed.group(1))
    if request.name in (*own, request.default):
        return {}
    if request.name in request.resolves:
        raise JobError(
            typed,
            f"this is the resolve of a tool, with {request.resolves[request.name]}",
            f"Take another name, such as `--resolve={request.name}-experiments`.",
        )
    settings = _read(root, SETTINGS)
    default_lock = request.resolves[request.default]
    line = f'{request.default} = "{default_lock}"\n'
    if line not in settings:
        raise JobError(
            SETTINGS,
            f"there is no line `{line.strip()}` to write the new resolve behind",
            f'Write it under `[python.resolves]`, or `{request.name} = "{request.lock}"` yourself.',
        )
    for path in (request.lock, request.requirements(request.name)):
        if (root / path).exists():
            raise JobError(
                typed, f"{path} exists already", "Take another name, or remove it first."
            )
    names = ast.unparse(
        ast.Tuple([ast.Constant(name) for name in (*own, request.name)], ast.Load())
    )
    return {
        request.requirements(request.name): _copied_list(root, request),
        request.lock: _read(root, default_lock).replace(
            f"--resolve={request.default}\n", f"--resolve={request.name}\n"
        ),
        MACROS: macros.replace(listed.group(0), f"OWN_RESOLVES = {names}".replace("'", '"')),
        SETTINGS: settings.replace(line, f'{line}{request.name} = "{request.lock}"\n'),
    }


def _copied_list(root: Path, request: ResolveRequest) -> str:
    text = _read(root, request.requirements(request.default))
    kept = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    head = (
        f'# What experiments with `resolve="{request.name}"` may import.\n'
        "# Sync the lock after an edit: ./pants sync-lockfiles\n"
    )
    return head + "".join(f"{line}\n" for line in kept)


def _read(root: Path, path: str) -> str:
    try:
        return (root / path).read_text(encoding="utf-8")
    except OSError as error:
        raise JobError(path, "there is no such file", "Restore it from git.") from error


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
