from __future__ import annotations

import pytest
from azureml_pants.failures import JobFailure, check_bundled, check_errors


def test_nothing_is_raised_without_a_mistake() -> None:
    check_errors(())
    check_bundled(0, b"a warning\n")


def test_all_mistakes_are_told_as_they_stand() -> None:
    with pytest.raises(JobFailure) as raised:
        check_errors(("a.yaml: one.\n\nMend it.", "a.yaml: two."))
    assert str(raised.value) == "a.yaml: one.\n\nMend it.\n\na.yaml: two."


@pytest.mark.parametrize(
    "stderr, expected",
    [
        pytest.param(b"a.yaml: wrong.\n\nMend it.\n", "a.yaml: wrong.\n\nMend it.", id="a message"),
        pytest.param("a.yaml: größer".encode(), "a.yaml: größer", id="text beyond ASCII"),
        pytest.param(b"\xff", "\N{REPLACEMENT CHARACTER}", id="bytes that are no text"),
        pytest.param(b" \n", "exit status 3", id="silence"),
    ],
)
def test_what_the_job_tool_said_is_the_message(stderr: bytes, expected: str) -> None:
    with pytest.raises(JobFailure) as raised:
        check_bundled(3, stderr)
    assert str(raised.value) == expected
