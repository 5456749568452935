from __future__ import annotations

import pytest
from azureml_jobs.locks.lock import Lock
from azureml_jobs.locks.stale import ListedRequirement, stale_lock
from azureml_jobs.locks.testing import lock_text, package

LOCK = Lock(lock_text([package("numpy", "2.4.6", "a"), package("scikit-learn", "1.9.1", "b")]))


def told(*requirements: ListedRequirement, lock: Lock | None = LOCK) -> str | None:
    error = stale_lock("x.lock", "x", ["x-requirements.txt"], lock, requirements)
    return str(error) if error else None


def listed(name: str, text: str, *versions: str) -> ListedRequirement:
    return ListedRequirement(name, text, lambda version: version in versions)


def test_names_what_is_lacking_where_it_is_listed_and_what_to_type() -> None:
    message = told(
        listed("numpy", "numpy>=2.5"),
        listed("cowsay", "cowsay>=6", "6.1"),
        listed("scikit-learn", "scikit-learn", "1.9.1"),
    )
    assert message == (
        "x.lock: it does not have cowsay>=6, numpy>=2.5, which x-requirements.txt lists.\n\n"
        "Bring the lock in line: `./pants sync-lockfiles --resolve=x`."
    )


@pytest.mark.parametrize("name", ["scikit-learn", "Scikit_Learn"])
def test_a_lock_that_has_all_is_not_told_of(name: str) -> None:
    assert told(listed(name, name, "1.9.1")) is None


def test_what_is_no_lock_is_left_to_others() -> None:
    assert told(listed("cowsay", "cowsay"), lock=None) is None
