"""Suggest the valid name that was probably meant by a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

# Next to a near name, a longer list of others is noise.
_LONG_LIST = 8


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name that was probably meant by `name`, if there is one."""
    by_plain = {_plain(candidate): candidate for candidate in valid}
    if _plain(name) in by_plain:
        return by_plain[_plain(name)]
    close = difflib.get_close_matches(_plain(name), by_plain, n=1, cutoff=0.65)
    return by_plain[close[0]] if close else None


def suggestion(name: str, valid: Sequence[str], if_none: str = "") -> str:
    """Return a sentence with the names to write instead of `name`, the nearest of `valid` first.

    `if_none` is the sentence for when no name is valid.
    """
    if not valid:
        return if_none
    close = nearest(name, valid)
    others = ", ".join(f"`{candidate}`" for candidate in valid if candidate != close)
    if close is None:
        return f"Valid here: {others}."
    if not others or len(valid) > _LONG_LIST:
        return f"Did you mean `{close}`?"
    return f"Did you mean `{close}`? Also valid here: {others}."


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
