"""Jobs as they are listed and described."""

from __future__ import annotations

import json
from typing import Any

from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.rows import curves, describe, top_rows


def test_lists_the_newest_first_and_skips_other_files(jobs: Any) -> None:
    names = [jobs.new("true").name for _ in range(3)]
    broken = {"empty": None, "text": "{", "foreign": "{}", "later": '{"format": 99, "name": "x"}'}
    for name, content in broken.items():
        (jobs.workspace.jobs_folder / name).mkdir()
        if content is not None:
            (jobs.workspace.jobs_folder / name / "job.json").write_text(content)
    (jobs.workspace.jobs_folder / "file").touch()
    assert [each.name for each in jobs.workspace.jobs()] == names[::-1]


def test_describes_a_job_as_json(ended: JobFolder) -> None:
    (row,) = top_rows([ended.read()], True)
    assert (row["status"], row["exit_code"]) == ("Completed", 0) and row["duration"] > 0
    text = json.dumps(describe(ended), allow_nan=False)
    described = json.loads(text)
    assert described["metrics"] == {"loss": "NaN"}
    assert [point["step"] for point in curves(ended, ["loss"])["loss"]] == [0, 1]
    assert described["params"] == {"depth": "3"}
    assert (described["tags"]["team"], described["tags"]["mine"]) == ("a", "v")
    assert described["environment_variables"] == ["TOKEN"]
    assert "secret value" not in text
    assert described["artifacts"] == [
        "figure.png",
        "logs/l.txt",
        "outputs/sub/o.txt",
        "tree/MLmodel",
        "user_logs/std_log.txt",
    ]
    assert described["log"] == str(ended.log)
