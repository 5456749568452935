"""azure-ai-ml reads a bundle as it reads the files that the bundle is made from."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import load_component, load_job
from azure.ai.ml.entities._load_functions import load_schedule
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.conftest import NOTHING_KNOWN, Gathered

CONDA = "name: e\ndependencies: [python]\n"
COMMAND = """\
name: train
version: 1
type: command
command: python train.py --in ${{inputs.data}}
inputs: {data: {type: uri_folder}}
environment: file:../env.yml
code: ../src
"""
PARALLEL = """\
name: score
version: 1
type: parallel
inputs: {data: {type: uri_folder}}
outputs: {scores: {type: uri_file}}
input_data: ${{inputs.data}}
mini_batch_size: "10"
task:
  type: run_function
  code: ../src
  entry_script: score.py
  program_arguments: --model m.pkl
  environment: {image: p, conda_file: ../conda.yml}
  append_row_to: ${{outputs.scores}}
"""
SPARK = """\
name: prepare
version: 1
type: spark
inputs: {data: {type: uri_folder, mode: direct}}
code: ../src
entry: {file: prepare.py}
py_files: [tools.py]
args: --data ${{inputs.data}}
conf:
  spark.driver.cores: 1
  spark.driver.memory: 2g
  spark.executor.cores: 2
  spark.executor.memory: 2g
  spark.executor.instances: 2
"""
SPARK_RESOURCES = "resources: {instance_type: standard_e4s_v3, runtime_version: '3.3'}\n"
SPARK_JOB = SPARK.replace("../", "").replace("version: 1\n", SPARK_RESOURCES)
SPARK_JOB = SPARK_JOB.replace("mode: direct", "mode: direct, path: 'azureml:d:1'")
NESTED = """\
name: nested
version: 1
type: pipeline
inputs: {data: {type: uri_folder}}
jobs:
  again:
    type: command
    component: ./train.yml
    inputs: {data: "${{parent.inputs.data}}"}
"""
PIPELINE = """\
type: pipeline
inputs:
  raw: {type: uri_folder, path: ../../data/raw}
settings: {default_compute: azureml:cpu-cluster}
jobs:
  inline:
    type: command
    command: python train.py --in ${{inputs.data}}
    code: src
    environment: {build: {path: docker}}
    inputs: {data: {type: uri_file, path: a.csv}}
  by_path:
    type: command
    component: ./parts/train.yml
    inputs: {data: "${{parent.inputs.raw}}"}
  by_file:
    type: command
    component: file:parts/train.yml
    environment: {image: p, conda_file: conda.yml}
    inputs: {data: "${{parent.inputs.raw}}"}
  inline_component:
    type: command
    component:
      type: command
      command: ls ${{inputs.data}}
      code: ./src
      environment: azureml:e@latest
      inputs: {data: {type: uri_folder}}
    inputs: {data: "${{parent.inputs.raw}}"}
  registered:
    type: command
    component: azureml:other@latest
    inputs: {data: "${{parent.inputs.raw}}"}
  score:
    type: parallel
    component: ./parts/score.yml
    inputs: {data: "${{parent.inputs.raw}}"}
  prepare:
    type: spark
    component: ./parts/prepare.yml
    inputs: {data: {type: uri_folder, path: "azureml:d:1", mode: direct}}
    resources: {instance_type: standard_e4s_v3, runtime_version: "3.3"}
  tune:
    type: sweep
    trial: ./parts/tuned.yml
    inputs: {data: "${{parent.inputs.raw}}"}
    search_space: {rate: {type: choice, values: [1, 2]}}
    objective: {goal: maximize, primary_metric: score}
    sampling_algorithm: random
    limits: {max_total_trials: 2}
  nested:
    type: pipeline
    component: ./parts/nested.yml
    inputs: {data: "${{parent.inputs.raw}}"}
"""
TUNED = COMMAND.replace("--in", "--rate ${{inputs.rate}} --in").replace(
    "uri_folder}}", "uri_folder}, rate: {type: integer}}"
)
SWEEP = """\
type: sweep
inputs: {data: {type: uri_folder, path: azureml:d:1}}
compute: azureml:cpu-cluster
search_space: {rate: {type: choice, values: [1, 2]}}
objective: {goal: maximize, primary_metric: score}
sampling_algorithm: random
limits: {max_total_trials: 2}
trial:
  code: src
  command: python train.py --in ${{inputs.data}} --rate ${{search_space.rate}}
  environment: file:env.yml
"""
COMMAND_JOB = """\
command: python train.py
code: ./src
compute: azureml:cpu-cluster
environment: file:./env.yml
"""
AUTOML = """\
type: automl
task: classification
primary_metric: accuracy
compute: azureml:cpu-cluster
target_column_name: y
training_data: {type: mltable, path: ./table}
limits: {max_trials: 1}
"""
FINE_TUNING = """\
type: finetuning
model_provider: custom
task: chat_completion
experiment_name: exp
model: {type: mlflow_model, path: "azureml://registries/azureml/models/m/versions/1"}
training_data: {type: uri_file, path: a.csv}
outputs: {registered_model: {type: mlflow_model, name: tuned}}
"""
SCHEDULE = """\
name: nightly
trigger: {type: cron, expression: "0 1 * * *"}
create_job: ./pipeline.yml
"""
JOBS = {
    "command job": (COMMAND_JOB, load_job),
    "one file as code": (COMMAND_JOB.replace("./src", "src/train.py"), load_job),
    "code in git": (COMMAND_JOB.replace("./src", "git+https://example.org/a/b.git#main"), load_job),
    "registered code": (COMMAND_JOB.replace("./src", "azureml:code:1"), load_job),
    "spark job": (SPARK_JOB, load_job),
    "sweep job": (SWEEP, load_job),
    "pipeline job": (PIPELINE, load_job),
    "pipeline of a component": (
        "type: pipeline\ncomponent: ./parts/nested.yml\ninputs: {data: {path: a.csv}}\n",
        load_job,
    ),
    "automl job": (AUTOML, load_job),
    "finetuning job": (FINE_TUNING, load_job),
    "command component": (COMMAND.replace("../", ""), load_component),
    "parallel component": (PARALLEL.replace("../", ""), load_component),
    "spark component": (SPARK.replace("../", ""), load_component),
    "pipeline component": (NESTED.replace("./", "./parts/"), load_component),
    "schedule": (SCHEDULE, load_schedule),
    "schedule with changes": (
        SCHEDULE.replace(
            "./pipeline.yml", "{type: pipeline, job: ./pipeline.yml, display_name: night}"
        ),
        load_schedule,
    ),
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def gather(gathered: Gathered, job: str) -> None:
    """Write what the documents name, and gather all code for each unit."""
    for path, text in (
        ("env.yml", "name: e\nversion: 1\nimage: p\nconda_file: conda.yml\n"),
        ("parts/train.yml", COMMAND),
        ("parts/tuned.yml", TUNED),
        ("parts/score.yml", PARALLEL),
        ("parts/prepare.yml", SPARK),
        ("parts/nested.yml", NESTED),
        ("pipeline.yml", PIPELINE),
        ("a.csv", "1,2\n"),
        ("table/MLTable", "paths: []\n"),
        ("conda.yml", CONDA),
    ):
        gathered.write(f"src/exp/{path}", text)
    gathered.write("data/raw/a.csv", "1\n")
    gathered.context_files = ["src/exp/conda.yml"]
    gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    gathered.add_context("src/exp/docker/requirements.txt", "mine\n")
    for name in ("train.py", "score.py", "prepare.py", "tools.py", "m.pkl"):
        if "src/train.py" not in job or name == "train.py":
            gathered.add(f"src/exp/src/{name}", f"# {name}\n")


def without_paths(value: Any, folders: tuple[Path, ...]) -> Any:
    """Return the value with what is at each local path in place of the path."""
    if isinstance(value, dict):
        return {key: without_paths(each, folders) for key, each in value.items()}
    if isinstance(value, list):
        return [without_paths(each, folders) for each in value]
    if isinstance(value, str) and value:
        # azure-ai-ml takes a path that it does not know for a name.
        found = (folder / value.removeprefix("azureml:") for folder in folders)
        path = next((each for each in found if each.exists()), None)
        if path is not None:
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            return [(each.name, each.read_text()) for each in files if each.is_file()]
    return value


@pytest.mark.parametrize(("job", "load"), JOBS.values(), ids=JOBS)
def test_reads_a_bundle_as_the_files_that_it_is_made_from(
    gathered: Gathered, job: str, load: Callable[[Path], Any]
) -> None:
    gather(gathered, job)
    plan = gathered.plan(job)
    bundle = gathered.folder / "bundle"
    write_bundle(plan, NOTHING_KNOWN, bundle, gathered.repository, with_data=True)
    exp = gathered.repository / "src/exp"
    expected = without_paths(load(exp / "azure-ml-job.yaml")._to_dict(), (exp, exp / "parts"))
    found = without_paths(load(bundle / "azure-ml-job.yaml")._to_dict(), (bundle,))
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(expected))
    assert "src/exp" not in json.dumps(found)
