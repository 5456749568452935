"""Each package that is not as before has a line of its own."""

from __future__ import annotations

from azureml_jobs.locks.changes import tell_changes
from azureml_jobs.locks.lock import Lock
from azureml_jobs.locks.testing import lock_text, package


def lock(*packages: tuple[str, ...]) -> Lock:
    return Lock(lock_text([package(*each) for each in packages]))


def test_says_what_is_new_what_went_and_what_moved() -> None:
    old = lock(("gone", "1"), ("numpy", "2.4"), ("six", "1"), ("torn", "1", "a"))
    new = lock(("cowsay", "6.1"), ("numpy", "2.3"), ("six", "1"), ("torn", "1", "b"))
    assert tell_changes("x.lock", old, new).splitlines() == [
        "x.lock: changed; 2 stay as they are",
        "  added    cowsay 6.1",
        "  removed  gone 1",
        "  moved    numpy 2.4 -> 2.3",
        "  changed  torn 1: its files are not those that were locked",
    ]


def test_a_new_lock_has_only_what_was_added() -> None:
    assert tell_changes("x.lock", None, lock(("six", "1"))).splitlines() == [
        "x.lock: new",
        "  added    six 1",
    ]


def test_other_requirements_may_mean_the_same_packages() -> None:
    told = tell_changes("x.lock", lock(("six", "1")), lock(("six", "1")))
    assert told == "x.lock: the packages stay as they are, 1 in all."


def test_versions_of_a_split_lock_are_told_together() -> None:
    split = Lock(lock_text([package("six", "1")], [package("six", "2")]))
    assert "moved    six 1 -> 1 and 2" in tell_changes("x.lock", lock(("six", "1")), split)
