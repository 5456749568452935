"""Errors are reported before the package index is used; nothing is half-written."""

from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.locks.conftest import lock_text, package
from azureml_jobs.locks.sync import check_names, check_requirements, parse_old, write_locks

RESOLVES = {"azureml": "a.lock", "experiments": "e.lock", "older": "o.lock"}


def test_all_resolves_are_synced_by_default() -> None:
    assert check_names([], RESOLVES) == ("azureml", "experiments", "older")
    assert check_names(["older", "azureml", "older"], RESOLVES) == ("older", "azureml")


def test_an_unknown_resolve_is_reported_with_the_closest_first() -> None:
    with pytest.raises(JobError) as raised:
        check_names(["experimets"], RESOLVES)
    assert raised.value.status == 2
    assert str(raised.value).startswith("--resolve=experimets: there is no such resolve.\n")
    assert "Write one of these: experiments, azureml, older." in str(raised.value)


def test_an_unknown_resolve_without_a_close_one_is_reported_with_all() -> None:
    with pytest.raises(JobError, match="Write one of these: azureml, experiments, older"):
        check_names(["zzz"], RESOLVES)


def test_a_resolve_needs_requirements() -> None:
    check_requirements("x.txt", "x", ["six"])
    with pytest.raises(JobError, match="x.txt: the resolve `x` has no requirements"):
        check_requirements("x.txt", "x", [])


def test_credentials_in_an_address_are_refused_and_not_shown() -> None:
    check_requirements("x.txt", "x", ["six @ git+ssh://git@example.org/six.git"])
    with pytest.raises(JobError, match="`six @ git.https://.{3}@example.org` has cred") as caught:
        check_requirements("x.txt", "x", ["six @ git+https://token@example.org"])
    assert "token" not in str(caught.value)


def test_a_missing_lock_is_no_error() -> None:
    assert parse_old("x.lock", "x", "\n") is None
    assert parse_old("x.lock", "x", lock_text([package("six", "1")])) is not None


def test_a_lock_in_a_merge_is_reported() -> None:
    with pytest.raises(JobError) as raised:
        parse_old("x.lock", "x", "<<<<<<< HEAD\n" + lock_text([package("six", "1")]))
    assert "git checkout --theirs x.lock" in str(raised.value)
    assert "./pants generate-lockfiles --resolve=x" in str(raised.value)


def test_writes_into_new_folders_and_over_files(tmp_path: Path) -> None:
    (tmp_path / "a.lock").write_bytes(b"old")
    write_locks(tmp_path, {"a.lock": b"new", "b/c.lock": b"first"})
    assert (tmp_path / "a.lock").read_bytes() == b"new"
    assert (tmp_path / "b/c.lock").read_bytes() == b"first"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.lock", "b", "c.lock"]


def test_a_path_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.lock").mkdir()
    with pytest.raises(OutsideError, match="a.lock: it could not be written"):
        write_locks(tmp_path, {"a.lock": b"new"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.lock"]
