from __future__ import annotations

import contextlib
import re

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.document import read_job_file
from hypothesis import given
from hypothesis import strategies as st


def remedy_of(text: str) -> str:
    with pytest.raises(JobError, match="not valid YAML") as caught:
        read_job_file(text, "job.yaml")
    return caught.value.remedy


@cases(
    "text, wrong",
    {
        "a tab": ("command: ls\ninputs:\n\ta: 1", "\ta: 1"),
        "a colon": ("description: note: this", "description: note: this"),
        "a colon in a list": ("tags:\n  - a: it's: b", "  - a: it's: b"),
        "no space": ("command:python main.py\ncode: ..", "command:python main.py"),
        "a character of YAML's own": ("compute: @gpu", "compute: @gpu"),
        "an alias": ("command: *x", "command: *x"),
        "a tag": ("command: !x y", "command: !x y"),
        "a bracket": ("command: [ -f a", "command: [ -f a"),
        "an expression in braces": (
            "environment_variables: {A: ${{inputs.a}}, B: 1}",
            "environment_variables: {A: ${{inputs.a}}, B: 1}",
        ),
    },
)
def test_the_line_of_the_remedy_is_valid_in_place_of_the_wrong_one(text: str, wrong: str) -> None:
    found = re.search("`([^`]*)`[.]$", remedy_of(text))
    assert found is not None
    assert read_job_file(text.replace(wrong, found[1]), "job.yaml")


@pytest.mark.parametrize(
    "text, remedy",
    [
        ("inputs:\n  a: 1\n   b: 2", "Indent this line as far as the other keys of its level."),
        ("code: ..\ncommand python\n", "Line 2 is no `key: value`."),
        ("command: >\npython\n", "Line 2 is no `key: value`."),
        ("command: 'it's'", "Within `'…'` write a quote twice"),
        ('command: "a\\d"', "Write single quotes"),
        ("- a\nb: 1", "a list has no keys next to it"),
        ("tags: {a: b\n", "Close the bracket of line 1"),
    ],
)
def test_says_what_to_change_where_no_line_can_be_given(text: str, remedy: str) -> None:
    assert remedy in remedy_of(text)


@given(st.text() | st.text(alphabet="ab:{}[]'\"\n\t -|>&*!%@`#,?$\r\u2028", max_size=20))
def test_no_text_is_more_than_an_error_of_the_user(text: str) -> None:
    with contextlib.suppress(JobError):
        read_job_file(text, "job.yaml")
