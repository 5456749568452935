"""uv gets what a lock holds, and its choice becomes constraints; errors come before that."""

from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.locks.conftest import lock_text, package
from azureml_jobs.locks.lock import Lock
from azureml_jobs.locks.sync import (
    check_names,
    check_requirements,
    choice_error,
    constraints,
    input_files,
    lock_error,
    parse_old,
    write_locks,
)

RESOLVES = {"azureml": "a.lock", "experiments": "e.lock", "older": "o.lock"}


def test_all_resolves_are_synced_by_default_and_an_unknown_one_is_reported() -> None:
    assert check_names([], RESOLVES) == ("azureml", "experiments", "older")
    assert check_names(["older", "azureml", "older"], RESOLVES) == ("older", "azureml")
    with pytest.raises(JobError, match="^--resolve=experimets: there is no such resolve") as raised:
        check_names(["experimets"], RESOLVES)
    assert raised.value.status == 2
    assert raised.value.remedy.startswith("Did you mean `experiments`? Also valid here: `azureml`")


def test_a_resolve_needs_requirements_without_credentials() -> None:
    check_requirements("x.txt", "x", ["six @ git+ssh://git@example.org/six.git"])
    with pytest.raises(JobError, match="x.txt: the resolve `x` has no requirements"):
        check_requirements("x.txt", "x", [])
    with pytest.raises(JobError, match="`six @ git.https://.{3}@example.org` has cred") as caught:
        check_requirements("x.txt", "x", ["six @ git+https://token@example.org"])
    assert "token" not in str(caught.value)


def test_a_missing_lock_is_no_error_and_one_in_a_merge_is_reported() -> None:
    assert parse_old("x.lock", "x", "\n") is None
    assert parse_old("x.lock", "x", lock_text([package("six", "1")])) is not None
    with pytest.raises(JobError, match="git checkout --theirs x.lock") as raised:
        parse_old("x.lock", "x", "<<<<<<< HEAD\n" + lock_text([package("six", "1")]))
    assert "./pants generate-lockfiles --resolve=x" in str(raised.value)


def test_writes_into_new_folders_and_over_files(tmp_path: Path) -> None:
    (tmp_path / "a.lock").write_bytes(b"old")
    (tmp_path / "c.lock").mkdir()
    write_locks(tmp_path, {"a.lock": b"new", "b/c.lock": b"first"})
    assert (tmp_path / "a.lock").read_bytes() == b"new"
    assert (tmp_path / "b/c.lock").read_bytes() == b"first"
    with pytest.raises(OutsideError, match="c.lock: it could not be written"):
        write_locks(tmp_path, {"c.lock": b"new"})
    names = sorted(path.name for path in tmp_path.rglob("*"))
    assert names == ["a.lock", "b", "c.lock", "c.lock"]


def test_uv_gets_the_locked_versions_and_the_environments_of_the_lock() -> None:
    old = Lock(lock_text([package("numpy", "2.4"), package("six", "1.17")]))
    assert input_files(old, ["numpy<3", "six"], ["3.11"]) == {
        "requirements.in": "numpy<3\nsix\n",
        "versions.txt": "numpy==2.4\nsix==1.17\n",
        "pyproject.toml": (
            "[tool.uv]\n"
            "environments = [\"python_version == '3.11' and sys_platform == 'linux'\", "
            "\"python_version == '3.11' and sys_platform == 'darwin'\"]\n"
        ),
    }
    assert input_files(None, ["six"], ["3.11"])["versions.txt"] == ""


def test_the_choice_becomes_constraints() -> None:
    versions = (
        "appnope==1.0.0 ; sys_platform == 'darwin'\n"
        "cowsay @ git+https://host/cowsay@0123\n"
        "numpy==2.0 ; python_full_version < '3.10'\n"
        "numpy==2.4 ; python_full_version >= '3.10'\n"
        "six==1.17\n"
    )
    assert constraints(versions, ["six==1.17"]) == (
        "appnope==1.0.0",
        "numpy==2.0; python_full_version < '3.10'",
        "numpy==2.4; python_full_version >= '3.10'",
    )


# As uv 0.13.9 and pex 2.105.2 print them.
NO_SOLUTION = """\
error: No solution found when resolving dependencies
  cause: Because only cowsay<=6.1 is available and you require cowsay>=99, we can conclude that \
your requirements are unsatisfiable.

hint: While the active Python version is 3.11, the resolution failed for other versions.
"""
OFFLINE = """\
error: Request failed after 3 retries in 9.9s
  cause: Failed to fetch: https://me:secret@index/simple/cowsay/
  cause: Connection refused (os error 111)
"""
COMMAND = "pid 1 -> python pip install --index-url https://me:secret@index/simple exited with 1"
NO_BUILD = f"""\
{COMMAND} and STDERR:
pip: error: metadata-generation-failed at https://me:secret@index
pip:   x Failed to build foo
"""


@pytest.mark.parametrize(
    ("error", "status", "what", "shown"),
    [
        pytest.param(
            choice_error("list.txt", "main", NO_SOLUTION),
            2,
            "no versions satisfy these requirements",
            "  Because only cowsay<=6.1 is available",
            id="no solution",
        ),
        pytest.param(
            choice_error("list.txt", "main", OFFLINE),
            1,
            "the packages of the resolve `main` could not be chosen",
            "Connection refused",
            id="no connection",
        ),
        pytest.param(
            lock_error("list.txt", "main", NO_BUILD),
            1,
            "the packages of the resolve `main` could not be locked",
            "Failed to build foo",
            id="pip",
        ),
        pytest.param(
            lock_error("list.txt", "main", COMMAND),
            1,
            "the packages of the resolve `main` could not be locked",
            "exited with 1",
            id="pex alone",
        ),
    ],
)
def test_reasons_of_uv_and_pip_become_one_message_without_passwords(
    error: JobError, status: int, what: str, shown: str
) -> None:
    assert (error.where, error.what, error.status) == ("list.txt", what, status)
    assert shown in error.remedy and "secret" not in str(error) and "hint" not in error.remedy
