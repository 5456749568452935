"""The local code that a command is sent with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """What `code:` names.

    path: the repository path of a folder or of a single file; "" is the repository's root. None
        when nothing local is named: git, an asset, an address.
    where: the key, for messages: `src/x/azure-ml-job.yaml: code`.
    includes: repository paths of files and folders that are added to it, each by its last name, as
        `additional_includes` of a component are.
    is_named: False for a command without `code:`, which may need no file.
    """

    path: str | None
    where: str
    includes: tuple[str, ...] = ()
    is_named: bool = True
