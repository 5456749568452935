"""Credentials in addresses, such as `https://me:secret@host/`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from azureml_jobs.base.errors import JobError

# Up to the last `@`: a password may have one.
_CREDENTIALS = re.compile(r"//[^/\s]+@")
# A name alone is no secret where a key signs in, as in `git+ssh://git@host/`.
_SSH_NAME = re.compile(r"\bssh://[^/\s:@]+@")


def has_credentials(text: str) -> bool:
    return _CREDENTIALS.search(_SSH_NAME.sub("", text)) is not None


def without_credentials(text: str) -> str:
    """Return the text with `***` in place of what stands before a host's name."""
    return _CREDENTIALS.sub("//***@", text)


def credentials_errors(where: str, requirements: Iterable[str]) -> list[JobError]:
    """Return an error for each requirement whose address has credentials; `where` lists it."""
    return [
        JobError(
            where,
            f"`{without_credentials(each)}` has credentials, which locks, images and the records "
            "of jobs would keep",
            "Take them out of it: "
            "docs/environments.md#a-package-that-is-not-on-the-package-index.",
        )
        for each in filter(has_credentials, requirements)
    ]
