"""Test azure-ai-ml against the stand-in: kinds that it does not run, and components."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import load_component
from azureml_standin.conftest import COMPUTE, Submit, sent, wait_for_end
from azureml_standin.service import Service

TASK = "task: {type: run_function, code: code, entry_script: main.py, environment: {image: p}}"
PARALLEL = f"""\
type: pipeline
jobs:
  many:
    type: parallel
    compute: azureml:cpu-cluster
    inputs: {{data: {{type: mltable, path: table, mode: eval_mount}}}}
    input_data: ${{{{inputs.data}}}}
    mini_batch_size: "1"
    {TASK}
"""
SPARK = """\
type: spark
code: code
entry: {file: main.py}
conf:
  spark.driver.cores: 1
  spark.driver.memory: 2g
  spark.executor.cores: 2
  spark.executor.memory: 2g
  spark.executor.instances: 2
resources: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
"""
AUTOML = f"""\
type: automl
task: regression
primary_metric: r2_score
target_column_name: y
training_data: {{path: table, type: mltable}}
{COMPUTE}
"""
FINE_TUNING = """\
type: finetuning
task: chat_completion
model_provider: custom
model: {path: azureml://registries/azureml-meta/models/Llama/versions/9, type: mlflow_model}
training_data: {type: uri_file, path: table/a.csv}
outputs: {registered_model: {type: mlflow_model, name: tuned}}
"""
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "Spark": (
        SPARK,
        {
            "codeId": "codes/*/versions/1",
            "entry": {"file": "main.py", "sparkJobEntryType": "SparkJobPythonEntry"},
            "resources": {"instanceType": "standard_e4s_v3", "runtimeVersion": "3.4"},
        },
    ),
    "AutoML": (AUTOML, {"computeId": "computes/cpu-cluster"}),
    "FineTuning": (
        FINE_TUNING,
        {"outputs": {"registered_model": {"assetName": "tuned", "jobOutputType": "mlflow_model"}}},
    ),
    "Pipeline": (PARALLEL, {"settings": {"_source": "YAML.JOB"}}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_takes_kinds_that_it_does_not_run(
    service: Service, submit: Submit, sdk: Any, kind: str
) -> None:
    text, expected = KINDS[kind]
    name = kind.lower()
    submit(name, text)
    (body,) = sent(service, f"/jobs/{name}")
    assert body["jobType"] == kind
    assert {key: body[key] for key in expected} == expected
    assert wait_for_end(service, name) == "Failed"
    assert "the stand-in does not run" in (service.execution.view(name).error or "")
    assert sdk.jobs.get(name).status == "Failed"


def test_registers_a_component_that_a_pipeline_names(
    service: Service, submit: Submit, sdk: Any, job_folder: Path
) -> None:
    sdk.components.create_or_update(load_component(job_folder / "score.yaml"))
    (body,) = sent(service, "/components/score/versions/3")
    assert body["componentSpec"]["inputs"]["weight"] == {"type": "number", "default": "0.5"}
    assert sdk.components.get("score", label="latest").version == "3"
    data = "{data: {type: uri_folder, path: table}}"
    step = f"{{type: command, component: 'azureml:score@latest', inputs: {data}}}"
    settings = f"settings: {{default_{COMPUTE}}}"
    submit("named", f"type: pipeline\n{settings}\njobs: {{one: {step}}}\n")
    (body,) = sent(service, "/jobs/named")
    assert body["jobs"]["one"]["componentId"] == "components/score/versions/3"
    assert wait_for_end(service, "named") == "Completed"
