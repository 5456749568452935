"""Describe what changed from one lock to another."""

from __future__ import annotations

from collections.abc import Mapping

from azureml_jobs.locks.lock import Lock

_Versions = Mapping[str, tuple[str, ...]]


def describe_changes(path: str, old: Lock | None, new: Lock) -> str:
    """Return one line for each package that was added, removed or moved to another version."""
    before: _Versions = old.versions() if old else {}
    after = new.versions()
    old_files = old.files() if old else {}
    new_files = new.files()
    lines = [f"  added    {name} {_joined(after[name])}" for name in after if name not in before]
    lines += [f"  removed  {name} {_joined(before[name])}" for name in before if name not in after]
    shared = [name for name in after if name in before]
    lines += [
        f"  moved    {name} {_joined(before[name])} -> {_joined(after[name])}"
        for name in shared
        if before[name] != after[name]
    ]
    # A release whose files were replaced under the same version.
    lines += [
        f"  changed  {name} {version}: its files are other ones than before"
        for name, version in new_files
        if not new_files[name, version] & old_files.get((name, version), new_files[name, version])
    ]
    same = sum(1 for name in shared if before[name] == after[name])
    if not lines:
        return f"{path}: all {same} packages stay as they are."
    kept = f"; {same} {'stays as it is' if same == 1 else 'stay as they are'}" if old else ""
    return "\n".join([f"{path}: {'changed' if old else 'new'}{kept}", *lines])


def _joined(versions: tuple[str, ...]) -> str:
    return " and ".join(versions)
