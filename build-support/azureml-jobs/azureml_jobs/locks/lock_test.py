"""Locks are read below the header of Pants, and entries of the same release stay as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azureml_jobs.locks.conftest import lock_text, package
from azureml_jobs.locks.lock import Lock, canonical_name, locked_projects, read_lock

HEADER = "// By Pants.\n//\n// {\n//   1\n// }\n\n"


@pytest.mark.parametrize("header", ["", HEADER])
def test_reads_all_parts_of_a_lock_below_the_header_of_pants(header: str) -> None:
    text = lock_text(
        [package("numpy", "2.0"), package("scikit-learn", "1.9")],
        [package("numpy", "1.26"), package("six", "1.0")],
        header=header,
    )
    assert locked_projects(text) == {"numpy", "scikit-learn", "six"}
    lock = Lock(text)
    assert lock.versions() == {
        "numpy": ("1.26", "2.0"),
        "scikit-learn": ("1.9",),
        "six": ("1.0",),
    }
    assert [str(pin) for pin in lock.pins][-1] == 'six==1.0; python_version == "3.1"'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "numpy==1.0 --hash=sha256:00\n",
        "[]",
        "{}",
        '{"locked_resolves": null}',
        '{"locked_resolves": [{"locked_requirements": [{"project_name": "a"}]}]}',
        '<<<<<<< HEAD\n{"locked_resolves": []}',
    ],
    ids=["empty", "requirements", "a list", "no parts", "null", "no version", "a merge"],
)
def test_other_text_holds_no_packages(text: str) -> None:
    assert read_lock(text) is None
    assert locked_projects(text) == frozenset()


def kept(old: str, new: str, *constraints: str) -> Any:
    return json.loads(Lock(new).keeping(Lock(old), constraints))


def packages(content: Any) -> list[dict[str, Any]]:
    return content["locked_resolves"][0]["locked_requirements"]


def test_the_same_release_stays_word_for_word() -> None:
    old = package("numpy", "2.0", "linux", "mac", requires_dists=["a"])
    new = package("numpy", "2.0", "mac", "linux", "windows", requires_dists=["b"])
    found = packages(kept(lock_text([old]), lock_text([new, package("six", "1.0")])))
    assert found == [old, package("six", "1.0")]


def test_each_part_of_a_split_lock_keeps_its_own() -> None:
    old = [package("numpy", "2.0", "a", "b")], [package("numpy", "2.0", "a", "c")]
    new = [package("numpy", "2.0", "a")], [package("numpy", "2.0", "a")]
    found = kept(lock_text(*old), lock_text(*new))
    assert [part["locked_requirements"] for part in found["locked_resolves"]] == list(old)


@pytest.mark.parametrize(
    "new",
    [package("numpy", "2.1", "linux"), package("numpy", "2.0", "other file")],
    ids=["another version", "replaced files"],
)
def test_another_release_has_its_new_entry(new: dict[str, Any]) -> None:
    old = package("numpy", "2.0", "linux")
    assert packages(kept(lock_text([old]), lock_text([new]))) == [new]


def test_entries_are_new_for_other_pythons() -> None:
    old, new = package("numpy", "2.0", "cp311"), package("numpy", "2.0", "cp311", "cp312")
    now = lock_text([new], requires_python=["CPython==3.12.*"])
    assert packages(kept(lock_text([old]), now)) == [new]


def test_entries_stay_with_another_pex() -> None:
    old, new = package("numpy", "2.0", "a"), package("numpy", "2.0", "a", "b")
    assert packages(kept(lock_text([old]), lock_text([new], pex_version="3"))) == [old]


def test_our_constraints_are_not_in_the_lock() -> None:
    text = lock_text([package("numpy", "2.0")], constraints=["numpy==2.0", "six<2"])
    assert kept(text, text, "numpy==2.0")["constraints"] == ["six<2"]


def test_a_lock_without_changes_has_the_same_bytes() -> None:
    text = lock_text([package("numpy", "2.0"), package("zoë", "1")])
    assert Lock(text).keeping(Lock(HEADER + text), ()) == text
    assert Lock(text).keeping(None, ()) == text


def test_all_spellings_of_a_name_are_one() -> None:
    assert canonical_name("Azure_AI.ml--x") == canonical_name("azure-ai-ml-x")
