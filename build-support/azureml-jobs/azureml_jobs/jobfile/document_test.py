from __future__ import annotations

import datetime
from typing import Any

import pytest
import yaml
from azureml_jobs.base.errors import JobError
from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.document import dump_job_file, read_job_file, repeated_keys
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@cases(
    "text, value",
    {
        "yes is a boolean": ("yes", True),
        "a leading zero means octal": ("010", 8),
        "an exponent without a point is text": ("1e-3", "1e-3"),
        "an exponent with a point is a number": ("1.0e-3", 0.001),
        "a date": ("2024-01-31", datetime.date(2024, 1, 31)),
        "an expression": ("'${{inputs.x}}'", "${{inputs.x}}"),
    },
)
def test_reads_values_as_azure_ai_ml_does(text: str, value: Any) -> None:
    assert read_job_file(f"a: {text}\n", "job.yaml") == {"a": value}


@cases(
    "text, message",
    {
        "no YAML": ("a: b: c", "job.yaml: line 1, column 5: not valid YAML:"),
        "an open quote": ("a: 'x", "unexpected end of stream"),
        "a tab": ("a:\n\t- b", "line 2, column 1"),
        "an unknown alias": ("a: *b", "found undefined alias"),
        "two documents": ("a: 1\n---\nb: 2", "line 2, column 1: not valid"),
        "a control character": ("a: \x07", "control characters are not allowed"),
        "a Python tag": ("a: !!python/name:os.system", "constructor for the tag"),
        "a day that does not exist": ("a: 2024-02-31", "looks like a date or a number"),
        "a list as key": ("[1]: 2", "unhashable key"),
        "a loop": ("a: &a [*a]", "a YAML alias contains itself"),
        "deep nesting": ("a: " + "[" * 2000, "nested too deeply"),
        "no content": ("", "the job file is empty"),
        "comments only": ("# nothing", "the job file is empty"),
        "a list": ("- a", "it is a list"),
        "text": ("some words", "it is plain text"),
        "a number": ("5", "it is the single value 5"),
    },
)
def test_reports_where_and_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(JobError) as caught:
        read_job_file(text, "job.yaml")
    assert str(caught.value).startswith("job.yaml")
    assert message in str(caught.value)


HOSTILE = {
    "100 MB": "description: " + "x" * (100 << 20),
    "lists in lists": "a: " + "[" * 100_000,
    "mappings in mappings": "a: " + "{a: " * 5000,
    "below the limit of libyaml": "a: " + "[" * 500 + "]" * 500,
    "deep blocks": "".join(" " * depth + "a:\n" for depth in range(2000)),
    "aliases of aliases": "a0: &a0 [x]\n"
    + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(30)),
    "merges of merges": "a0: &a0 {x: 1}\n"
    + "".join(f"a{n + 1}: &a{n + 1} {{<<: [*a{n}, *a{n}]}}\n" for n in range(60)),
    "a long number": "a: " + ":".join(["59"] * 3000),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_refuses_what_would_cost_time_and_memory(text: str) -> None:
    with pytest.raises(JobError, match="too large for a job file|nested too deeply") as caught:
        read_job_file(text, "job.yaml")
    assert str(caught.value).startswith("job.yaml") and len(str(caught.value)) < 300


@cases(
    "text, found",
    {
        "a repeat": ("a: 1\nb: 2\na: 3", "`a` is in line 1 and again in line 3"),
        "further down": ("a:\n  b: 1\n  b: 1", "`a.b` is in line 2 and again in line 3"),
        "in other letters": ("on: 1\nyes: 2", "`yes` is in line 1 and again in line 2"),
        "several": (
            "a: 1\na: 2\nc: {d: 1, d: 2}",
            "`a` is in line 1 and again in line 2; `c.d` is in line 3 and again in line 3",
        ),
    },
)
def test_finds_keys_that_are_there_twice(text: str, found: str) -> None:
    finding = repeated_keys(text)
    assert finding and finding.what == f"the same key twice: {found}"
    # As in azure-ai-ml, the last one counts.
    assert read_job_file(text, "job.yaml") == yaml.safe_load(text)


def test_a_key_may_override_what_is_merged_in() -> None:
    text = "base: &base {a: 1}\njob: {<<: *base, a: 2}"
    assert read_job_file(text, "job.yaml")["job"] == {"a": 2}
    assert repeated_keys(text) is None


def test_reads_a_file_with_a_byte_order_mark() -> None:
    assert read_job_file("\ufeffcommand: x", "job.yaml") == {"command": "x"}


def test_writes_keys_in_order_and_commands_as_blocks() -> None:
    job = {
        "type": "command",
        "command": "python a.py\npython b.py\n",
        "compute": "é",
        "a": "x " * 90,
    }
    assert dump_job_file(job) == (
        "type: command\n"
        "command: |\n"
        "  python a.py\n"
        "  python b.py\n"
        "compute: é\n"
        f"a: '{'x ' * 90}'\n"
    )


def test_writes_shared_values_without_anchors() -> None:
    shared = {"a": "b"}
    assert dump_job_file({"x": shared, "y": shared}) == "x:\n  a: b\ny:\n  a: b\n"


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4))
def test_reads_back_what_it_writes(job: dict[str, Any]) -> None:
    text = dump_job_file(job)
    assert read_job_file(text, "job.yaml") == job
    assert dump_job_file(read_job_file(text, "job.yaml")) == text
