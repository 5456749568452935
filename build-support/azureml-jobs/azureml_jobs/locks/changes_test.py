"""Each package that changed has its own line."""

from __future__ import annotations

from azureml_jobs.locks.conftest import lock_text, package
from azureml_jobs.locks.lock import Lock, describe_changes


def lock(*packages: tuple[str, ...]) -> Lock:
    return Lock(lock_text([package(*each) for each in packages]))


def test_lists_what_was_added_removed_and_moved() -> None:
    old = lock(("gone", "1"), ("numpy", "2.4"), ("six", "1"), ("torn", "1", "a"))
    new = lock(("cowsay", "6.1"), ("numpy", "2.3"), ("six", "1"), ("torn", "1", "b"))
    assert describe_changes("x.lock", old, new).splitlines() == [
        "x.lock: changed; 2 stay as they are",
        "  added    cowsay 6.1",
        "  removed  gone 1",
        "  moved    numpy 2.4 -> 2.3",
        "  changed  torn 1: its files are other ones than before",
    ]


def test_a_new_lock_lists_all_packages() -> None:
    assert describe_changes("x.lock", None, lock(("six", "1"))).splitlines() == [
        "x.lock: new",
        "  added    six 1",
    ]


def test_other_requirements_can_mean_the_same_packages() -> None:
    changes = describe_changes("x.lock", lock(("six", "1")), lock(("six", "1")))
    assert changes == "x.lock: all 1 packages stay as they are."


def test_versions_of_a_split_lock_are_on_one_line() -> None:
    split = Lock(lock_text([package("six", "1")], [package("six", "2")]))
    assert "moved    six 1 -> 1 and 2" in describe_changes("x.lock", lock(("six", "1")), split)
