from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.job_status import COMPLETED
from azureml_jobs.local.pipeline.reuse import (
    earlier_steps,
    has_its_outputs,
    outputs_fingerprint,
    reuse_key,
)
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_plan import UnitRun
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.workspace import LocalWorkspace

UNIT = UnitRun(Runtime(), "/venv", "ab12", "azureml:e:1", "bundle/code")


@pytest.mark.parametrize("size", [2, 200_000_001], ids=["read", "too large to be read"])
def test_outputs_that_were_changed_are_not_used_again(tmp_path: Path, size: int) -> None:
    workspace, output = LocalWorkspace(tmp_path / ".azureml"), tmp_path / "output"
    output.mkdir()
    with open(output / "o", "wb") as file:
        file.truncate(size)
    record = JobRecord("exp-1_a", status=COMPLETED, reuse_key="k", outputs={"o": str(output)})
    record.outputs_fingerprint = outputs_fingerprint(record)
    workspace.new_job("", lambda temporary, final: record, "exp-1_a")
    found = earlier_steps(workspace)["k"]
    assert found.name == "exp-1_a" and has_its_outputs(found)
    with open(output / "o", "r+b") as file:
        file.write(b"x")
    assert not has_its_outputs(found)


@pytest.mark.parametrize(
    ("job", "identities"),
    [
        ({"command": "cat b"}, {"d": "1"}),
        ({"command": "cat a", "environment_variables": {"A": "1"}}, {"d": "1"}),
        ({"command": "cat a", "outputs": {"o": {"type": "uri_file"}}}, {"d": "1"}),
        ({"command": "cat a"}, {"d": "2"}),
    ],
    ids=["command", "variables", "outputs", "inputs"],
)
def test_what_differs_is_not_used_again(job: dict[str, object], identities: dict[str, str]) -> None:
    first = reuse_key({"command": "cat a", "display_name": "x"}, UNIT, {"d": "1"})
    assert first == reuse_key({"command": "cat a", "display_name": "y"}, UNIT, {"d": "1"})
    assert first != reuse_key(job, UNIT, identities)
    assert not reuse_key({"command": "cat a", "is_deterministic": False}, UNIT, {"d": "1"})
