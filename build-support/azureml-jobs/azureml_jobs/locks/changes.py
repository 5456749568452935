"""Tell what changed from one lock to another."""

from __future__ import annotations

from collections.abc import Mapping

from azureml_jobs.locks.lock import Lock

_Versions = Mapping[str, tuple[str, ...]]


def tell_changes(path: str, old: Lock | None, new: Lock) -> str:
    """One line for each package that is new, gone, or of another version than before."""
    before: _Versions = old.versions() if old else {}
    after = new.versions()
    old_files = old.files() if old else {}
    new_files = new.files()
    lines = [f"  added    {name} {_shown(after[name])}" for name in after if name not in before]
    lines += [f"  removed  {name} {_shown(before[name])}" for name in before if name not in after]
    shared = [name for name in after if name in before]
    lines += [
        f"  moved    {name} {_shown(before[name])} -> {_shown(after[name])}"
        for name in shared
        if before[name] != after[name]
    ]
    # A release that was replaced by another one under its version.
    lines += [
        f"  changed  {name} {version}: its files are not those that were locked"
        for name, version in new_files
        if not new_files[name, version] & old_files.get((name, version), new_files[name, version])
    ]
    same = sum(1 for name in shared if before[name] == after[name])
    if not lines:
        return f"{path}: the packages stay as they are, {same} in all."
    kept = f"; {same} {'stays as it is' if same == 1 else 'stay as they are'}" if old else ""
    return "\n".join([f"{path}: {'changed' if old else 'new'}{kept}", *lines])


def _shown(versions: tuple[str, ...]) -> str:
    return " and ".join(versions)
