"""What the guard looks for and suspects, and whether its user has allowed it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError


@dataclass(frozen=True)
class Suspicion:
    """What looks as if it must not leave this machine.

    `path` is what `--allow` names: a file, a folder above it, or the key of a setting. `line` is 0
    for a finding in no line. `is_marked` says that a comment allows it.
    """

    path: str
    what: str
    line: int = 0
    is_marked: bool = False

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


def judge(
    suspicions: Iterable[Suspicion],
    allow: Sequence[str],
    where: str,
    what: str,
    remedy: str,
) -> tuple[Allowed, ...]:
    """Return what the user has allowed of the suspicions, for the record of the job.

    Raises `JobError` that names all the others. The path of one of them replaces PATH in `remedy`.
    """
    allowed: set[Allowed] = set()
    refused: dict[str, str] = {}
    for each in suspicions:
        if each.is_marked or _is_allowed(each.path, allow):
            allowed.add(Allowed(each.where, each.what))
        else:
            refused[f"\n  {each.where}: {each.what}"] = each.path
    if refused:
        raise JobError(
            where, what + "".join(refused), remedy.replace("PATH", next(iter(refused.values())))
        )
    return tuple(sorted(allowed))


def _is_allowed(path: str, allow: Sequence[str]) -> bool:
    # An empty one, as of a variable that is not set, names nothing.
    named = [posixpath.normpath(each) for each in allow if each]
    return any(each == "." or f"{path}/".startswith(f"{each.rstrip('/')}/") for each in named)


@dataclass(frozen=True, order=True)
class Allowed:
    """Where it is, and what kind of thing it looks like; never the secret itself."""

    where: str
    what: str


# The comment that declares a line harmless; detect-secrets uses the same.
ALLOW_COMMENT = "pragma: allowlist secret"
# In other files, code, what is behind `password =` without quotes is not a text.
_PLAIN_TEXTS = {
    *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".cnf", ".properties", ".env", ".sh"),
    *(".bash", ".txt"),
}


@dataclass(frozen=True)
class Secret:
    """What looks like a secret in a line, from 1; `is_marked` says that its comment allows it."""

    line: int
    kind: str
    is_marked: bool


def is_plain_text(path: str) -> bool:
    """Return whether values in a file of this name may be texts without quotes."""
    name, ending = posixpath.splitext(posixpath.basename(path).lower())
    return ending in _PLAIN_TEXTS or "dockerfile" in f"{name}{ending}"
