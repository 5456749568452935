"""Test what is in a bundle."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from example import EXPERIMENT, JOB, JOB_FILE, MAIN
from scratch import Scratch

BUNDLE = "dist/src.example_experiment/job"


def tree(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file below `folder`."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_code_is_exactly_the_closure(scratch: Scratch) -> None:
    changes = {
        # No module imports it.
        "src/common/unused.py": "VALUE = 1\n",
        # Imported through another module.
        "src/common/tabular.py": (scratch.root / "src/common/tabular.py").read_text()
        + "\nimport common.deeper, common.deeper_still  # noqa\n",
        "src/common/deeper.py": "VALUE = 2\n",
        "src/common/deeper_still.py": "VALUE = 3\n",
        # A declared file.
        f"{EXPERIMENT}/configs/small.yaml": "depth: 2\n",
        f"{EXPERIMENT}/BUILD": (
            'experiment(files=["configs/*.yaml"], local_files=["sample-data/*.csv"])\n'
        ),
    }
    with scratch.changed(changes):
        scratch.pants("package", JOB)
        bundled = set(tree(scratch.root / BUNDLE / "code"))
    assert bundled == {
        "common/__init__.py",
        "common/deeper.py",
        "common/deeper_still.py",
        "common/figures.py",
        "common/tabular.py",
        "common/tracking.py",
        "example_experiment/__init__.py",
        "example_experiment/configs/small.yaml",
        "example_experiment/main.py",
        "example_experiment/model.py",
    }


def test_the_manifest_lists_every_file_and_the_change_against_the_commit(scratch: Scratch) -> None:
    main = (scratch.root / MAIN).read_text()
    with scratch.changed({MAIN: main + "\n# an unstaged change\n"}):
        scratch.pants("package", JOB)
        manifest = json.loads((scratch.root / BUNDLE / "manifest.json").read_text())
        changes = (scratch.root / BUNDLE / "changes.diff").read_text()
        written = tree(scratch.root / BUNDLE / "code")
    assert {file["path"]: file["sha256"] for file in manifest["snapshot"]["files"]} == written
    assert manifest["git"]["commit"] == scratch.git("rev-parse", "HEAD").strip()
    assert manifest["git"]["is_dirty"] and "+# an unstaged change" in changes
    assert manifest["versions"]["pants"] == "2.17.1"
    assert "numpy" in " ".join(manifest["packages"]["requirements"])


def test_the_requirements_are_a_pinned_part_of_the_lock(scratch: Scratch) -> None:
    scratch.pants("package", JOB)
    text = (scratch.root / BUNDLE / "environment/requirements.txt").read_text()
    assert "mlflow-skinny==" in text and "azureml-mlflow==" in text
    # It is locked for the tests, but the job does not import it.
    assert "pytest==" not in text
    for line in text.splitlines():
        assert "==" in line or line.strip().startswith("--hash=sha256:")


@pytest.mark.parametrize("text", ["class: [", "just text"], ids=["invalid YAML", "no mapping"])
def test_other_goals_work_in_spite_of_an_invalid_job_file(scratch: Scratch, text: str) -> None:
    with scratch.changed({JOB_FILE: text}):
        assert JOB in scratch.pants("list", "::").stdout
        scratch.pants("dependencies", "--transitive", f"{EXPERIMENT}::")
