"""azure-ai-ml reads a bundle as it reads the files that the bundle is made from."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import load_component, load_job
from azure.ai.ml.entities._load_functions import load_schedule
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.conftest import NOTHING_KNOWN, Gathered
from azureml_jobs.jobfile.schema.tested_shapes import FILES, SHAPES
from azureml_jobs.protocol import NeededFile

MORE_FILES = {
    "parts/train.yaml": """
name: train
type: command
command: python main.py --in ${{inputs.d}}
code: ../code
environment: file:../environment.yaml
inputs: {d: {type: uri_folder}}
""",
    "parts/nested.yaml": """
name: nested
type: pipeline
inputs: {d: {type: uri_folder}}
jobs: {a: {type: command, component: ./train.yaml, inputs: {d: "${{parent.inputs.d}}"}}}
""",
    "environment.yaml": "name: e\nversion: 1\nimage: p\nconda_file: conda.yaml\n",
    "docker/requirements.txt": "mine\n",
}
CODE_JOB = "{command: a, code: 'CODE', environment: azureml:e:1}"
STEP = "inputs: {d: '${{parent.inputs.raw}}'}"
JOBS = {
    **SHAPES,
    "one file as code": CODE_JOB.replace("CODE", "code/main.py"),
    "code in git": CODE_JOB.replace("CODE", "git+https://example.org/a/b.git#main"),
    "registered code": CODE_JOB.replace("CODE", "azureml:code:1"),
    "a pipeline of documents in folders": f"""
type: pipeline
inputs: {{raw: {{type: uri_folder, path: ../../data/raw}}}}
settings: {{default_compute: azureml:cpu-cluster}}
jobs:
  by_path: {{type: command, component: ./parts/train.yaml, {STEP}}}
  by_file: {{type: command, component: file:parts/train.yaml, {STEP}}}
  nested: {{type: pipeline, component: ./parts/nested.yaml, {STEP}}}
  inside:
    type: command
    component:
      command: ls ${{{{inputs.d}}}}
      code: ./code
      environment: {{build: {{path: docker}}}}
      inputs: {{d: {{type: uri_folder}}}}
    {STEP}
  tune:
    type: sweep
    trial: ./parts/train.yaml
    {STEP}
    search_space: {{rate: {{type: choice, values: [1, 2]}}}}
    objective: {{goal: maximize, primary_metric: score}}
    sampling_algorithm: random
    limits: {{max_total_trials: 2}}
""",
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def gather(gathered: Gathered, job: str) -> None:
    """Write what the documents name, and gather all code for each unit."""
    for path, text in {**FILES, **MORE_FILES}.items():
        if path.startswith("code/") and ("code/main.py" not in job or path == "code/main.py"):
            gathered.add(f"src/exp/{path}", f"# {path}\n")
        elif path.startswith("docker/") or path == "conda.yaml":
            gathered.add_context(f"src/exp/{path}", text)
        # What is next to the job file would be taken for what is inside of the code.
        elif path != "main.py":
            gathered.write(f"src/exp/{path}", text)
    gathered.write("data/raw/a.csv", "1\n")
    named = gathered.named_files

    def named_in_code(folder: str | None = None, unit: str = "") -> tuple[NeededFile, ...]:
        return named(folder, unit) if "/code" in (folder or "") else ()

    gathered.named_files = named_in_code  # type: ignore[method-assign]


def without_paths(value: Any, folders: tuple[Path, ...]) -> Any:
    """Return the value with what is at each local path in place of the path."""
    if isinstance(value, dict):
        return {key: without_paths(each, folders) for key, each in value.items()}
    if isinstance(value, list):
        return [without_paths(each, folders) for each in value]
    if isinstance(value, str) and value:
        # azure-ai-ml takes a path that it does not know for a name.
        paths = [folder / value.removeprefix("azureml:") for folder in folders]
        inside = (path for path in paths if any(folder in path.parents for folder in folders))
        path = next((path for path in inside if path.exists()), None)
        if path is not None:
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            return [(each.name, each.read_text()) for each in files if each.is_file()]
    return value


# azure-ai-ml cannot write the outputs of an AutoML job, and writes code as an object in the other.
@pytest.mark.parametrize(
    "name", sorted(JOBS.keys() - {"an automl job", "a pipeline job of all steps"})
)
@pytest.mark.filterwarnings("ignore")
def test_reads_a_bundle_as_the_files_that_it_is_made_from(gathered: Gathered, name: str) -> None:
    gather(gathered, JOBS[name])
    plan = gathered.plan(JOBS[name])
    bundle = gathered.folder / "bundle"
    write_bundle(plan, NOTHING_KNOWN, bundle, gathered.repository, with_data=True)
    family = plan.kind.split(" ")[-1]
    load: Any = {"job": load_job, "component": load_component, "schedule": load_schedule}[family]
    exp = gathered.repository / "src/exp"
    expected = without_paths(load(exp / "azure-ml-job.yaml")._to_dict(), (exp, exp / "parts"))
    # What they name is in the code of the bundle.
    expected.pop("additional_includes", None)
    found = without_paths(load(bundle / "azure-ml-job.yaml")._to_dict(), (bundle,))
    texts = [json.dumps(each, default=str, indent=1) for each in (found, expected)]
    assert texts[0].splitlines() == texts[1].splitlines() and "src/exp" not in texts[0]
