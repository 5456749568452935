"""Locks are read below the header of Pants; entries of the same release stay as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azureml_jobs.locks.conftest import lock_text, package
from azureml_jobs.locks.lock import (
    ListedRequirement,
    Lock,
    describe_changes,
    locked_projects,
    read_lock,
    stale_lock,
)

HEADER = "// By Pants.\n//\n// {\n//   1\n// }\n\n"


def lock(*packages: tuple[str, ...]) -> Lock:
    return Lock(lock_text([package(*each) for each in packages]))


@pytest.mark.parametrize("header", ["", HEADER])
def test_reads_all_parts_of_a_lock_below_the_header_of_pants(header: str) -> None:
    parts = [("numpy", "2.0"), ("scikit-learn", "1.9")], [("numpy", "1.26"), ("six", "1.0")]
    text = lock_text(*([package(*each) for each in part] for part in parts), header=header)
    assert locked_projects(text) == {"numpy", "scikit-learn", "six"}
    versions = {"numpy": ("1.26", "2.0"), "scikit-learn": ("1.9",), "six": ("1.0",)}
    assert Lock(text).versions() == versions
    assert str(Lock(text).pins[-1]) == 'six==1.0; python_version == "3.1"'


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("numpy==1.0 --hash=sha256:00\n", id="requirements"),
        pytest.param("[]", id="a list"),
        pytest.param("{}", id="no parts"),
        pytest.param('{"locked_resolves": null}', id="null"),
        pytest.param(
            '{"locked_resolves": [{"locked_requirements": [{"project_name": "a"}]}]}',
            id="no version",
        ),
        pytest.param('<<<<<<< HEAD\n{"locked_resolves": []}', id="a merge"),
    ],
)
def test_other_text_holds_no_packages(text: str) -> None:
    assert read_lock(text) is None
    assert locked_projects(text) == frozenset()


OLD = package("numpy", "2.0", "linux", "mac", requires_dists=["a"])
MORE = package("numpy", "2.0", "mac", "linux", "windows", requires_dists=["b"])
OTHER_VERSION, OTHER_FILES = package("numpy", "2.1", "linux"), package("numpy", "2.0", "other file")


@pytest.mark.parametrize(
    ("new", "header", "kept"),
    [
        pytest.param([MORE, package("six", "1")], {}, [OLD, package("six", "1")], id="more files"),
        pytest.param([OTHER_VERSION], {}, [OTHER_VERSION], id="another version"),
        pytest.param([OTHER_FILES], {}, [OTHER_FILES], id="replaced files"),
        pytest.param([MORE], {"requires_python": ["CPython==3.12.*"]}, [MORE], id="other Pythons"),
        pytest.param([MORE], {"pex_version": "3"}, [OLD], id="another pex"),
    ],
)
def test_the_same_release_stays_word_for_word(
    new: list[Any], header: dict[str, Any], kept: list[Any]
) -> None:
    found = json.loads(Lock(lock_text(new, **header)).keeping(Lock(lock_text([OLD])), ()))
    assert found["locked_resolves"][0]["locked_requirements"] == kept


def test_each_part_of_a_split_lock_keeps_its_own() -> None:
    old = [package("numpy", "2.0", "a", "b")], [package("numpy", "2.0", "a", "c")]
    new = [package("numpy", "2.0", "a")], [package("numpy", "2.0", "a")]
    found = json.loads(Lock(lock_text(*new)).keeping(Lock(lock_text(*old)), ()))
    assert [part["locked_requirements"] for part in found["locked_resolves"]] == list(old)


def test_our_constraints_are_not_in_the_lock() -> None:
    text = lock_text([package("numpy", "2.0")], constraints=["numpy==2.0", "six<2"])
    kept = json.loads(Lock(text).keeping(Lock(text), ["numpy==2.0"]))
    assert kept["constraints"] == ["six<2"]


def test_a_lock_without_changes_has_the_same_bytes() -> None:
    text = lock_text([package("numpy", "2.0"), package("zoë", "1")])
    assert Lock(text).keeping(Lock(HEADER + text), ()) == text
    assert Lock(text).keeping(None, ()) == text


SPLIT = Lock(lock_text([package("six", "1")], [package("six", "2")]))


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        pytest.param(
            lock(("gone", "1"), ("numpy", "2.4"), ("six", "1"), ("torn", "1", "a")),
            lock(("cowsay", "6.1"), ("numpy", "2.3"), ("six", "1"), ("torn", "1", "b")),
            [
                "x.lock: changed; 2 stay as they are",
                "  added    cowsay 6.1",
                "  removed  gone 1",
                "  moved    numpy 2.4 -> 2.3",
                "  changed  torn 1: its files are other ones than before",
            ],
            id="each kind",
        ),
        pytest.param(None, lock(("six", "1")), ["x.lock: new", "  added    six 1"], id="new"),
        pytest.param(
            lock(("six", "1")),
            lock(("six", "1")),
            ["x.lock: all 1 packages stay as they are."],
            id="none",
        ),
        pytest.param(
            lock(("six", "1")),
            SPLIT,
            [
                "x.lock: changed; 0 stay as they are",
                "  moved    six 1 -> 1 and 2",
            ],
            id="split",
        ),
    ],
)
def test_each_package_that_changed_has_its_own_line(
    old: Lock | None, new: Lock, lines: list[str]
) -> None:
    assert describe_changes("x.lock", old, new).splitlines() == lines


def test_names_the_listed_packages_that_a_lock_misses_their_list_and_the_command() -> None:
    locked = lock(("numpy", "2.4.6", "a"), ("scikit-learn", "1.9.1", "b"))
    complete = ListedRequirement(
        "Scikit_.Learn", "scikit_.learn", lambda version: version == "1.9.1"
    )
    numpy = ListedRequirement("numpy", "numpy>=2.5", lambda version: False)
    cowsay = ListedRequirement("cowsay", "cowsay>=6", lambda version: True)
    requirements = [numpy, cowsay, complete]
    error = stale_lock("x.lock", "x", ["x-requirements.txt"], locked, requirements)
    assert str(error) == (
        "x.lock: it does not have cowsay>=6, numpy>=2.5, which x-requirements.txt lists.\n\n"
        "Update the lock: `./pants sync-lockfiles --resolve=x`."
    )
    assert stale_lock("x.lock", "x", [], locked, [complete]) is None
    # Others report an unreadable lock.
    assert stale_lock("x.lock", "x", [], None, requirements) is None
