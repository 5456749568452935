from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.protocol import VERSION, JobRequest, Message, ScriptRequest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

st.register_type_strategy(Mapping, st.dictionaries(st.text(), st.text()))

REQUEST = JobRequest("a:job", "a/job.yaml", (), (), {})


@pytest.mark.parametrize("kind", Message.__subclasses__(), ids=lambda kind: kind.__name__)
@given(st.data())
@settings(suppress_health_check=list(HealthCheck), max_examples=50)
def test_reads_back_every_message_with_the_types_of_its_fields(
    tmp_path: Path, kind: type[Any], data: st.DataObject
) -> None:
    message = data.draw(st.from_type(kind))
    (tmp_path / "message.json").write_bytes(message.to_json())
    # Equal dataclasses are of one class, and no tuple equals a list.
    assert kind.read(tmp_path / "message.json") == message


def test_writes_the_same_bytes_for_the_same_request() -> None:
    other = JobRequest(**{**vars(REQUEST), "versions": {"b": "1", "a": "2"}})
    again = JobRequest(**{**vars(REQUEST), "versions": {"a": "2", "b": "1"}})
    assert other.to_json() == again.to_json()


@pytest.mark.parametrize(
    ("change", "written"),
    [
        pytest.param({"version": VERSION + 1}, f"JobRequest of version {VERSION + 1}", id="newer"),
        pytest.param({"version": VERSION - 1}, f"JobRequest of version {VERSION - 1}", id="older"),
        pytest.param({"version": None, "kind": None}, "None of version None", id="without either"),
        pytest.param({"kind": "LintRequest"}, f"LintRequest of version {VERSION}", id="other kind"),
        pytest.param(
            {"version": VERSION + 1, "new_field": 1, "address": None},
            f"JobRequest of version {VERSION + 1}",
            id="other fields",
        ),
    ],
)
def test_refuses_a_message_of_another_version_or_kind(
    tmp_path: Path, change: dict[str, Any], written: str
) -> None:
    file = tmp_path / "request.json"
    data = {**json.loads(REQUEST.to_json()), **change}
    file.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))
    with pytest.raises(OutsideError) as caught:
        JobRequest.read(file)
    assert caught.value.status == 1
    assert str(caught.value).startswith(
        f"request.json: the plugin wrote {written}, and the job tool reads JobRequest of version "
        f"{VERSION}.\n\nPants still runs an older plugin. Stop its daemon by `rm -r .pids`"
    )


def test_raises_the_errors_that_pants_met_as_they_are() -> None:
    with pytest.raises(JobError) as caught:
        ScriptRequest("a:local", None, (), ("a: first.\n\nDo this.", "b: second.")).raise_errors()
    assert caught.value.status == 2
    assert str(caught.value) == "a: first.\n\nDo this.\n\nb: second."
    REQUEST.raise_errors()
