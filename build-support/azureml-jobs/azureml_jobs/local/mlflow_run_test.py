from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_run import start_run
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.record import JobRecord

FROM = {"azureml_jobs.address": "src/x:job", "azureml_jobs.snapshot": "ab"}
COMMIT = {"azureml_jobs.commit": "c0ffee", "mlflow.source.git.commit": "c0ffee"}


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        pytest.param({"git": {"commit": "c0ffee", "is_dirty": False}}, COMMIT, id="committed"),
        pytest.param({"git": {"commit": None, "problem": "refused"}}, {}, id="git refuses"),
        pytest.param({"git": None}, {}, id="no git"),
        pytest.param(None, {}, id="no record"),
    ],
)
def test_the_run_of_a_step_names_what_it_is_from(
    tmp_path: Path, manifest: dict[str, Any] | None, expected: dict[str, str]
) -> None:
    root, step = (JobFolder(tmp_path / "jobs" / name) for name in ("a", "a_train"))
    root.bundle.mkdir(parents=True)
    if manifest is not None:
        (root.bundle / "manifest.json").write_text(json.dumps(manifest))
    start_run(step, JobRecord("a_train", address="src/x:job", snapshot="ab", parent="a", root="a"))
    run = MlflowStore(step.mlruns).read_run("a_train")
    dirty = {"azureml_jobs.dirty": "false"} if expected else {}
    known = {key: text for key, text in run.tags.items() if "git" in key or "azureml" in key}
    assert known == {**FROM, **expected, **dirty}
