"""Where the Python of a command imports from first."""

from __future__ import annotations

from collections.abc import Sequence

_WRAPPER = 'export PYTHONPATH="$0${PYTHONPATH:+:$PYTHONPATH}"; exec "$@"'


def with_python_path(command: Sequence[str], *folders: str) -> list[str]:
    """Return `command` so that its Python imports from these folders first.

    They come before what the image or the caller has on the PYTHONPATH.
    """
    return ["sh", "-c", _WRAPPER, ":".join(folders), *command]
