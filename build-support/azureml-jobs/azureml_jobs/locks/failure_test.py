"""pip's reasons become one message: what is meant, and not how pex was called."""

from __future__ import annotations

import pytest
from azureml_jobs.locks.failure import as_error, bad_line, held_packages, is_hopeless
from azureml_jobs.locks.testing import (
    COMMAND,
    CONFLICT,
    NO_NAME,
    NO_RELEASE,
    OF_ANOTHER,
    OFFLINE,
    pex_said,
)


def told(output: str) -> tuple[int, str]:
    error = as_error("list.txt", "main", output)
    return error.status, str(error)


def test_a_name_that_is_not_on_the_index() -> None:
    status, message = told(NO_NAME)
    assert status == 2
    assert message.startswith("list.txt: the package index has nothing for `nope-9q`.\n\n")


def test_a_limit_that_no_release_keeps() -> None:
    status, message = told(NO_RELEASE)
    assert status == 2
    assert "no release fits `six>=99`" in message
    assert message.endswith("1.3, 1.4, 1.5, 1.6, 1.7.")


def test_a_limit_of_another_package_that_no_release_keeps() -> None:
    assert "no release fits `six>=99`" in told(OF_ANOTHER)[1]


def test_requirements_that_contradict_each_other() -> None:
    status, message = told(CONFLICT)
    assert status == 2
    assert "\n  botocore 1.29.0 depends on urllib3<1.27 and >=1.25.4\n" in message
    assert "docs/environments.md" in message
    assert "loosen" not in message


def test_an_index_that_does_not_answer_is_not_the_user_s_mistake() -> None:
    status, message = told(OFFLINE)
    assert status == 1
    assert message.startswith(
        "list.txt: the package index did not answer: Failed to establish a new connection: "
        "[Errno 111] Connection refused.\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "Could not fetch URL https://index/simple/six/: There was a problem confirming the ssl "
        "certificate: self signed - skipping",
        "ERROR: HTTP error 403 while getting https://index/six.whl",
    ],
)
def test_other_ways_not_to_answer(line: str) -> None:
    assert told(pex_said(line))[0] == 1


@pytest.mark.parametrize(
    "output",
    [CONFLICT, NO_NAME, OFFLINE, pex_said("ERROR: at https://me:secret@index"), COMMAND],
    ids=["conflict", "no name", "offline", "unknown", "not of pip"],
)
def test_no_password_and_no_command_is_shown(output: str) -> None:
    assert "secret" not in told(output)[1]


def test_anything_else_is_shown_as_pip_says_it() -> None:
    status, message = told(pex_said("error: metadata-generation-failed", "  x Failed to build foo"))
    assert status == 1
    assert "the resolve `main`" in message
    assert "Failed to build foo" in message


def test_what_is_held_and_who_asks_for_others() -> None:
    assert held_packages(CONFLICT) == ({"urllib3"}, {"botocore"})
    extras = pex_said(
        "The conflict is caused by:", "    uvicorn[standard] 0.30 depends on h11>=0.8", " "
    )
    assert held_packages(extras) == (frozenset(), {"uvicorn"})


@pytest.mark.parametrize(
    "output, hopeless",
    [
        pytest.param(CONFLICT, False, id="what is held is in the way"),
        pytest.param(OF_ANOTHER, False, id="another release may ask for less"),
        pytest.param(NO_NAME, True, id="no such name"),
        pytest.param(NO_RELEASE, True, id="no such release"),
        pytest.param(OFFLINE, True, id="offline"),
    ],
)
def test_whether_another_choice_can_help(output: str, hopeless: bool) -> None:
    assert is_hopeless(output) is hopeless


def test_a_line_that_is_no_requirement_is_named_with_its_file() -> None:
    error = bad_line(
        "Invalid requirement 'cowsay=>5' in 3rdparty/python/my list.txt at line 4: Parse error at "
        "\"'=>5'\": Expected string_end"
    )
    assert error is not None and error.status == 2
    assert str(error).startswith("3rdparty/python/my list.txt:4: `cowsay=>5` is no requirement: ")
    assert bad_line("another mistake") is None
