"""Follow the reasons why a file is sent, back to the command."""

from __future__ import annotations

from collections.abc import Iterable

from azureml_jobs.protocol import NeededFile


def chain_to(path: str, files: Iterable[NeededFile]) -> tuple[NeededFile, ...]:
    """Return the files from the one that the command itself needs to `path`, each by the last.

    There are none if `path` is not among the files.
    """
    by_path = {file.path: file for file in files}
    # A file that a target declares is there for the files of that target.
    by_owner = {file.owner: file for file in reversed(by_path.values())}
    chain: list[NeededFile] = []
    file = by_path.get(path)
    while file is not None and file not in chain:
        chain.append(file)
        file = (by_path.get(file.by) or by_owner.get(file.by)) if file.by else None
    return tuple(reversed(chain))
