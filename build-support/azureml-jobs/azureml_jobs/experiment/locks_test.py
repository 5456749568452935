"""Names of packages are read from locks, and from nothing else."""

from __future__ import annotations

import json

import pytest
from azureml_jobs.experiment.locks import locked_projects

LOCK = {
    "locked_resolves": [
        {"locked_requirements": [{"project_name": "numpy"}, {"project_name": "scikit-learn"}]},
        {"locked_requirements": [{"project_name": "numpy"}, {"project_name": "six"}]},
    ]
}


@pytest.mark.parametrize("header", ["", "// By Pants.\n//\n// {\n//   1\n// }\n\n"])
def test_reads_all_resolves_of_a_lock_below_the_notes_of_pants(header: str) -> None:
    text = header + json.dumps(LOCK, indent=2)
    assert locked_projects(text) == {"numpy", "scikit-learn", "six"}


@pytest.mark.parametrize(
    "text",
    ["", "numpy==1.0 --hash=sha256:00\n", "[]", "{}", '{"locked_resolves": null}'],
    ids=["empty", "requirements", "a list", "no resolves", "null"],
)
def test_what_is_no_lock_holds_nothing(text: str) -> None:
    assert locked_projects(text) == frozenset()
