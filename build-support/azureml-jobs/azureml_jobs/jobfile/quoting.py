"""Quote a path for bash, by the quotes that are open where it is inserted."""

from __future__ import annotations

import re
import shlex
from typing import Literal

Quotes = Literal["", "'", '"']

_SPECIAL_WITHIN_DOUBLE_QUOTES = re.compile(r'([\\"$`])')


def quotes_at(command: str, position: int) -> Quotes:
    """Return which quotes of bash are open in `command` before `position`."""
    open_quotes: Quotes = ""
    index = 0
    while index < position:
        char = command[index]
        if open_quotes == "'":
            open_quotes = "" if char == "'" else "'"
        elif char == "\\":
            index += 1
        elif open_quotes == '"':
            open_quotes = "" if char == '"' else '"'
        elif char == "'" or char == '"':
            open_quotes = "'" if char == "'" else '"'
        elif char == "#" and (index == 0 or command[index - 1] in " \t\n;|&("):
            # A comment may hold an apostrophe.
            end = command.find("\n", index)
            if end < 0:
                return ""
            index = end
        index += 1
    return open_quotes


def quoted_for(path: str, quotes: Quotes) -> str:
    """Return `path` as it must be written where `quotes` are open.

    In Azure ML paths have none of bash's special characters, but a folder on a user's machine may
    have a space in its name.
    """
    if quotes == "'":
        return path.replace("'", "'\\''")
    if quotes == '"':
        return _SPECIAL_WITHIN_DOUBLE_QUOTES.sub(r"\\\1", path)
    return shlex.quote(path)
