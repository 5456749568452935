"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.code import rules as code
from azureml_pants.locks import package_list, stale_locks, sync_lockfiles, synced_lock
from azureml_pants.locks.package_list import PackageListTarget
from pants.engine.rules import collect_rules


def target_types():
    return [PackageListTarget]


def rules():
    return [
        *code.rules(),
        *collect_rules(sync_lockfiles, synced_lock),
        *package_list.rules(),
        *stale_locks.rules(),
    ]
