"""The errors that are printed as a message, without a traceback."""

from __future__ import annotations

import errno

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class JobError(Exception):
    """An error that the user can fix.

    `where` is an address (`src/x:job`), a path, or `path: key.path`. `what` has no full stop at its
    end. `remedy` says what to do, with the literal text to write.
    """

    status = 2

    def __init__(self, where: str, what: str, remedy: str = "") -> None:
        super().__init__(where, what, remedy)
        self.where = where
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        message = f"{self.where}: {self.what}."
        return f"{message}\n\n{self.remedy}" if self.remedy else message


class OutsideError(JobError):
    """Something outside of this repository failed: Azure, Docker, the disk, the network."""

    status = 1
