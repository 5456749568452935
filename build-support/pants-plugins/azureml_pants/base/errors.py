"""Errors that Pants' own goals print as a message, without a traceback."""

from __future__ import annotations

from collections.abc import Iterable


class PluginError(Exception):
    """A message for the user, which Pants prints as it is."""


def raise_errors(errors: Iterable[str]) -> None:
    """Raise one `PluginError` with all messages, unless there are none."""
    text = "\n\n".join(errors)
    if text:
        raise PluginError(text)
