"""What is in a bundle, and that it is all that a job needs."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from scratch import Scratch

TARGET = "src/example_experiment:job"
BUNDLE = "dist/src.example_experiment/job"


def tree(folder: Path) -> dict[str, str]:
    """sha256 of each file below `folder`."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_code_is_exactly_the_closure(scratch: Scratch) -> None:
    changes = {
        # Imported by nobody.
        "src/common/unused.py": "VALUE = 1\n",
        # Imported through another module.
        "src/common/tabular.py": (scratch.root / "src/common/tabular.py").read_text()
        + "\nimport common.deeper, common.deeper_still  # noqa\n",
        "src/common/deeper.py": "VALUE = 2\n",
        "src/common/deeper_still.py": "VALUE = 3\n",
        # A declared resource.
        "src/example_experiment/configs/small.yaml": "depth: 2\n",
        "src/example_experiment/BUILD": (
            'experiment(dependencies=[":configs"], local_dependencies=[":sample-data"])\n'
            'resources(name="configs", sources=["configs/*.yaml"])\n'
            'resources(name="sample-data", sources=["sample-data/*.csv"])\n'
        ),
    }
    with scratch.changed(changes):
        scratch.pants("package", TARGET)
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


def test_the_same_input_gives_the_same_bytes_in_another_folder(
    scratch: Scratch, tmp_path: Path
) -> None:
    scratch.pants("package", TARGET)
    first = tree(scratch.root / BUNDLE)
    scratch.pants("--no-pantsd", "--no-local-cache", "package", TARGET, more={"TZ": "Asia/Tokyo"})
    assert tree(scratch.root / BUNDLE) == first
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(scratch.root), str(clone)], check=True)
    subprocess.run(
        ["./pants", "--no-pantsd", "package", TARGET],
        cwd=clone,
        env=scratch.environment({"LC_ALL": "C", "PYTHONHASHSEED": "7"}),
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert tree(clone / BUNDLE) == first


def test_the_manifest_tells_every_file_and_the_change_against_the_commit(scratch: Scratch) -> None:
    main = (scratch.root / "src/example_experiment/main.py").read_text()
    with scratch.changed({"src/example_experiment/main.py": main + "\n# an unstaged change\n"}):
        scratch.pants("package", TARGET)
        manifest = json.loads((scratch.root / BUNDLE / "manifest.json").read_text())
        written = tree(scratch.root / BUNDLE / "code")
    assert {file["path"]: file["sha256"] for file in manifest["snapshot"]["files"]} == written
    assert manifest["git"]["commit"] == scratch.git("rev-parse", "HEAD").strip()
    assert "+# an unstaged change" in manifest["git"]["diff"]
    assert manifest["versions"]["pants"] == "2.17.1"
    assert "numpy" in " ".join(manifest["packages"]["requirements"])


def test_the_code_runs_from_a_copy_in_an_empty_folder(scratch: Scratch, tmp_path: Path) -> None:
    scratch.pants("run", TARGET, "--", "--set", "inputs.epochs=1")
    record = scratch.json("run", ":aml", "--", "jobs", "show", scratch.jobs()[0]["name"], "--json")
    scratch.pants("package", TARGET)
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(scratch.root / BUNDLE), str(copy)], check=True)
    ran = subprocess.run(
        [
            *(f"{record['python']}/bin/python", "-m", "example_experiment.main"),
            *("--training-data", str(copy / "data/training_data/wine.csv")),
            *("--epochs", "2", "--learning-rate", "0.5", "--model-output", str(tmp_path / "model")),
        ],
        cwd=copy / "code",
        env={"PATH": "/usr/bin:/bin", "MLFLOW_ALLOW_FILE_STORE": "true"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert "accuracy" in ran.stdout
    assert (tmp_path / "model/model.json").exists()


def test_the_requirements_are_a_pinned_part_of_the_lock(scratch: Scratch) -> None:
    scratch.pants("package", TARGET)
    text = (scratch.root / BUNDLE / "environment/requirements.txt").read_text()
    assert "mlflow-skinny==" in text and "azureml-mlflow==" in text
    # Locked for the tests, and imported by no experiment.
    assert "pytest==" not in text
    for line in text.splitlines():
        assert "==" in line or line.strip().startswith("--hash=sha256:")


@pytest.mark.parametrize("code", ["class: [", "just text"], ids=["broken yaml", "no mapping"])
def test_list_works_beside_a_broken_job_file(scratch: Scratch, code: str) -> None:
    with scratch.changed({"src/example_experiment/azure-ml-job.yaml": code}):
        assert TARGET in scratch.pants("list", "::").stdout
        scratch.pants("dependencies", "--transitive", "src/example_experiment::")
