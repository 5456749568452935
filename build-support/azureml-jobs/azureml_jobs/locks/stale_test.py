from __future__ import annotations

import pytest
from azureml_jobs.locks.conftest import lock_text, package
from azureml_jobs.locks.lock import ListedRequirement, Lock, stale_lock

LOCK = Lock(lock_text([package("numpy", "2.4.6", "a"), package("scikit-learn", "1.9.1", "b")]))


def message_of(*requirements: ListedRequirement, lock: Lock | None = LOCK) -> str | None:
    error = stale_lock("x.lock", "x", ["x-requirements.txt"], lock, requirements)
    return str(error) if error else None


def listed(name: str, text: str, *versions: str) -> ListedRequirement:
    return ListedRequirement(name, text, lambda version: version in versions)


def test_names_the_missing_packages_their_list_and_the_command() -> None:
    message = message_of(
        listed("numpy", "numpy>=2.5"),
        listed("cowsay", "cowsay>=6", "6.1"),
        listed("scikit-learn", "scikit-learn", "1.9.1"),
    )
    assert message == (
        "x.lock: it does not have cowsay>=6, numpy>=2.5, which x-requirements.txt lists.\n\n"
        "Update the lock: `./pants sync-lockfiles --resolve=x`."
    )


@pytest.mark.parametrize("name", ["scikit-learn", "Scikit_Learn"])
def test_a_complete_lock_is_no_error(name: str) -> None:
    assert message_of(listed(name, name, "1.9.1")) is None


def test_an_unreadable_lock_is_left_to_others() -> None:
    assert message_of(listed("cowsay", "cowsay"), lock=None) is None
