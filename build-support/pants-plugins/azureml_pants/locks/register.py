"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.code import rules as code
from azureml_pants.locks import chosen_versions, stale_locks, sync_lockfiles, synced_lock


def rules():
    return [
        *code.rules(),
        *chosen_versions.rules(),
        *stale_locks.rules(),
        *sync_lockfiles.rules(),
        *synced_lock.rules(),
    ]
