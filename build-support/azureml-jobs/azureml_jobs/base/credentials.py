"""Credentials in addresses, such as `https://me:secret@host/`."""

from __future__ import annotations

import re

# Up to the last `@`: a password may have one.
_CREDENTIALS = re.compile(r"//[^/\s]+@")
# A name alone is no secret where a key signs in, as in `git+ssh://git@host/`.
_SSH_NAME = re.compile(r"\bssh://[^/\s:@]+@")


def has_credentials(text: str) -> bool:
    return _CREDENTIALS.search(_SSH_NAME.sub("", text)) is not None


def without_credentials(text: str) -> str:
    """Return the text with `***` in place of what stands before a host's name."""
    return _CREDENTIALS.sub("//***@", text)
