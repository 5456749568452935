"""Mistakes in a job file, gathered into one error, and the valid name nearest to a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

from azureml_jobs.errors import JobError

# Beside a name that is near, a longer list of others is noise.
_LONG_LIST = 8


@dataclass(frozen=True)
class Mistake:
    """One mistake: the dotted path of its key (empty for the whole file), what, what to do."""

    key_path: str
    what: str
    remedy: str = ""


def raise_mistakes(path: str, mistakes: Sequence[Mistake]) -> None:
    """Raise one `JobError` for all of `mistakes`, or return when there are none."""
    if not mistakes:
        return
    if len(mistakes) == 1:
        raise as_error(path, mistakes[0])
    raise JobError(
        path,
        f"{len(mistakes)} mistakes in this job file",
        "\n".join(_line(mistake) for mistake in mistakes),
    )


def as_error(path: str, mistake: Mistake) -> JobError:
    return JobError(_where(path, mistake.key_path), mistake.what, mistake.remedy)


def nearest(name: str, valid: Iterable[str]) -> Optional[str]:
    """Return the valid name that `name` was probably meant to be, if there is one."""
    by_plain = {_plain(candidate): candidate for candidate in valid}
    if _plain(name) in by_plain:
        return by_plain[_plain(name)]
    close = difflib.get_close_matches(_plain(name), by_plain, n=1, cutoff=0.65)
    return by_plain[close[0]] if close else None


def instead_of(name: str, valid: Sequence[str], none: str) -> str:
    """Return what to write instead of `name`: the nearest of `valid` first, or all of them.

    `none` is said when there is nothing valid to write.
    """
    if not valid:
        return none
    close = nearest(name, valid)
    others = ", ".join(f"`{candidate}`" for candidate in valid if candidate != close)
    if close is None:
        return f"Valid here: {others}."
    if not others or len(valid) > _LONG_LIST:
        return f"Did you mean `{close}`?"
    return f"Did you mean `{close}`? Also valid here: {others}."


def _where(path: str, key_path: str) -> str:
    return f"{path}: {key_path}" if key_path else path


def _line(mistake: Mistake) -> str:
    remedy = f" {' '.join(mistake.remedy.split())}" if mistake.remedy else ""
    return f"- {mistake.key_path or 'the file'}: {mistake.what}.{remedy}"


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
