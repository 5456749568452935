"""The reasons of uv and pip become one message, without passwords and commands."""

from __future__ import annotations

import pytest
from azureml_jobs.locks.sync import choice_error, lock_error

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


def test_requirements_without_a_solution_are_an_error_of_the_user() -> None:
    error = choice_error("list.txt", "main", NO_SOLUTION)
    assert error.status == 2
    assert str(error).startswith("list.txt: no versions satisfy these requirements.\n\n  Because ")
    assert "only cowsay<=6.1 is available" in error.remedy
    assert "docs/environments.md" in error.remedy and "hint" not in error.remedy


def test_other_failures_of_uv_are_outside() -> None:
    error = choice_error("list.txt", "main", OFFLINE)
    assert error.status == 1
    assert "the resolve `main` could not be chosen" in error.what
    assert "Connection refused" in error.remedy and "secret" not in str(error)


@pytest.mark.parametrize(
    "output, shown", [(NO_BUILD, "Failed to build foo"), (COMMAND, "exited with 1")]
)
def test_a_failure_of_pex_shows_what_pip_printed(output: str, shown: str) -> None:
    error = lock_error("list.txt", "main", output)
    assert error.status == 1
    assert shown in error.remedy and "secret" not in str(error)
