"""Files of each kind that azure-ai-ml takes, from which parity_test.py makes thousands more."""

from __future__ import annotations

# The files next to each shape that it may name.
FILES = {
    "main.py": "",
    "code/main.py": "",
    "code/score.py": "",
    "code/x.jar": "",
    "docker/Dockerfile": "FROM x",
    "conda.yaml": "dependencies: [python=3.11]",
    "environment.yaml": "image: python:3",
    "data.csv": "",
    "step.yaml": "name: s\ntype: command\ncommand: ls\nenvironment: azureml:e:1\n"
    "inputs: {x: {type: integer, optional: true}, d: {type: uri_folder, optional: true}}\n"
    "outputs: {y: {type: uri_folder}}",
    "parallel.yaml": "type: parallel\nname: p\ninputs: {d: {type: uri_folder}}\n"
    "outputs: {y: {type: uri_folder}}\ninput_data: ${{inputs.d}}\n"
    "task: {type: run_function, code: ./code, entry_script: score.py, environment: azureml:e:1}",
    "spark.yaml": "type: spark\nname: s\ncode: ./code\nentry: {file: main.py}\n"
    "conf: {spark.driver.cores: 1, spark.driver.memory: 2g, spark.executor.cores: 2, "
    "spark.executor.memory: 2g, spark.executor.instances: 2}",
    "inner.yaml": "type: pipeline\nname: inner\ninputs: {x: {type: integer}}\n"
    "jobs: {a: {type: command, component: ./step.yaml, inputs: {x: '${{parent.inputs.x}}'}}}",
    "job.yaml": "command: ls\nenvironment: azureml:e:1",
    "pipeline.yaml": "type: pipeline\njobs: {a: {type: command, component: ./step.yaml}}",
}

_SPARK = """
conf:
  spark.driver.cores: 1
  spark.driver.memory: 2g
  spark.executor.cores: 2
  spark.executor.memory: 2g
  spark.executor.instances: 2
"""
_EVERY_JOB = """
name: n
display_name: d
description: e
experiment_name: x
tags: {a: b, c: null}
properties: {a: b}
"""

SHAPES: dict[str, str] = {
    "the smallest command job": "command: ls\nenvironment: azureml:e:1",
    "a command job": f"""
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
type: command
{_EVERY_JOB}
parent_job_name: p
command: python main.py ${{{{inputs.x}}}} ${{{{inputs.d}}}} ${{{{outputs.y}}}}
code: ./code
environment: azureml:e@latest
environment_variables: {{A: b, C: 5, D: true}}
compute: azureml:c
resources:
  instance_count: 2
  instance_type: Standard_D2
  max_instance_count: 4
  locations: [a]
  shm_size: 2g
  docker_args: [--ipc, host]
  properties: {{a: {{b: 1}}}}
distribution: {{type: pytorch, process_count_per_instance: 2}}
limits: {{timeout: 3600}}
inputs:
  x: 5
  f: 0.5
  b: true
  s: text
  d: {{type: uri_folder, path: azureml:d:1, mode: ro_mount}}
  t: {{type: mltable, path: azureml:t@latest, mode: eval_mount}}
  m: {{type: mlflow_model, path: azureml:m:1}}
  v: {{value: 5}}
outputs:
  y: {{type: uri_folder, mode: upload, path: azureml://datastores/d/paths/p}}
  z:
  r: {{type: mlflow_model, name: m, version: 1}}
services:
  a: {{type: vs_code}}
  b: {{type: ssh, ssh_public_keys: k, nodes: all}}
  c: {{type: tensor_board, log_dir: l, port: 1}}
  d: {{type: jupyter_lab}}
  e: {{type: Custom, properties: {{a: 1}}}}
identity: {{type: managed, client_id: x}}
queue_settings: {{job_tier: spot, priority: high}}
""",
    "a command job with an environment of its own": """
type: command
command: ls
environment:
  build: {path: docker, dockerfile_path: Dockerfile}
  os_type: linux
  tags: {a: b}
  inference_config:
    liveness_route: {port: 80, path: /}
    readiness_route: {port: 80, path: /}
    scoring_route: {port: 80, path: /}
distribution: {type: tensorflow, worker_count: 2, parameter_server_count: 1}
identity: {type: user_identity}
""",
    "a command job with conda packages": """
command: ls
environment: {image: python:3, conda_file: conda.yaml, description: d}
distribution: {type: mpi, process_count_per_instance: 2}
identity: {type: aml_token}
""",
    "a command job with conda packages inside": """
command: ls
environment: {image: python:3, conda_file: {name: a, dependencies: [python=3.11, pip: [x]]}}
distribution: {type: ray, port: 1, include_dashboard: true, dashboard_port: 2, address: a}
""",
    "a command job with the file of an environment": """
command: ls
environment: file:environment.yaml
code: git+https://example.org/x.git
""",
    "a sweep job": f"""
type: sweep
{_EVERY_JOB}
sampling_algorithm: bayesian
search_space:
  a: {{type: choice, values: [1, 2.5, x]}}
  b: {{type: uniform, min_value: 0, max_value: 1}}
  c: {{type: loguniform, min_value: 0.5, max_value: 1}}
  d: {{type: quniform, min_value: 0, max_value: 1, q: 1}}
  e: {{type: normal, mu: 0, sigma: 1}}
  f: {{type: qlognormal, mu: 0, sigma: 1, q: 2}}
  g: {{type: randint, upper: 5}}
objective: {{goal: minimize, primary_metric: m}}
early_termination: {{type: bandit, slack_factor: 0.1, evaluation_interval: 1, delay_evaluation: 2}}
limits: {{max_total_trials: 4, max_concurrent_trials: 2, timeout: 100, trial_timeout: 50}}
compute: azureml:c
inputs: {{d: {{type: uri_file, path: data.csv}}, x: 1}}
outputs: {{y: {{type: uri_folder}}}}
trial:
  command: python main.py ${{{{search_space.a}}}} ${{{{inputs.d}}}}
  code: ./code
  environment: azureml:e:1
  environment_variables: {{A: b}}
  resources: {{instance_count: 1}}
  distribution: {{type: mpi, process_count_per_instance: 1}}
queue_settings: {{job_tier: standard}}
resources: {{shm_size: 1g}}
""",
    "a sweep job that is sampled at random": """
type: sweep
sampling_algorithm: {type: random, seed: 1, logbase: e, rule: sobol}
search_space: {a: {type: choice, values: [{b: {type: choice, values: [1]}, c: 2}]}}
objective: {goal: Maximize, primary_metric: m}
early_termination: {type: truncation_selection, truncation_percentage: 10}
limits: {max_total_trials: 4}
trial: {command: ls, environment: {image: x}}
""",
    "a sweep job on a grid": """
type: sweep
sampling_algorithm: {type: grid}
search_space: {a: {type: choice, values: [1]}}
objective: {goal: maximize, primary_metric: m}
early_termination: {type: median_stopping, delay_evaluation: 1}
limits: {max_total_trials: 4}
trial: {command: ls, environment: azureml:e:1}
""",
    "a spark job": f"""
type: spark
{_EVERY_JOB}
code: ./code
entry: {{file: main.py}}
py_files: [a.zip]
jars: [x.jar]
files: [f]
archives: [g]
{_SPARK}
args: --x ${{{{inputs.d}}}}
inputs: {{d: {{type: uri_file, path: azureml:d:1, mode: direct}}}}
outputs: {{y: {{type: uri_folder, path: azureml://datastores/d/paths/p, mode: direct}}}}
resources: {{instance_type: standard_e4s_v3, runtime_version: "3.4"}}
identity: {{type: managed}}
environment: azureml:e:1
""",
    "a spark job with dynamic allocation": """
type: spark
code: ./code
entry: {class_name: a.b.C}
conf:
  spark.driver.cores: 1
  spark.driver.memory: 2g
  spark.executor.cores: 2
  spark.executor.memory: 2g
  spark.dynamicAllocation.enabled: true
  spark.dynamicAllocation.minExecutors: 1
  spark.dynamicAllocation.maxExecutors: 4
compute: azureml:attached
""",
    "an import job": """
type: import
source: {type: azuresqldb, connection: azureml:c, query: select 1}
output: {type: mltable, path: azureml://datastores/d/paths/p}
""",
    "a pipeline job": f"""
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
{_EVERY_JOB}
compute: azureml:c
settings:
  default_datastore: azureml:d
  default_compute: azureml:c
  continue_on_step_failure: false
  force_rerun: true
inputs: {{x: 5, d: {{type: uri_folder, path: azureml:d:1}}, s: text}}
outputs: {{y: {{type: uri_folder, mode: upload}}, z: }}
identity: {{type: user_identity}}
jobs:
  first:
    type: command
    component: ./step.yaml
    inputs: {{x: '${{{{parent.inputs.x}}}}', d: '${{{{parent.inputs.d}}}}'}}
    outputs: {{y: '${{{{parent.outputs.y}}}}'}}
    compute: azureml:other
    resources: {{instance_count: 2}}
    environment_variables: {{A: b}}
    limits: {{timeout: 60}}
  second:
    type: command
    command: python main.py ${{{{inputs.d}}}} ${{{{outputs.y}}}}
    code: ./code
    environment: azureml:e:1
    display_name: d
    inputs:
      d: {{type: uri_folder, path: '${{{{parent.jobs.first.outputs.y}}}}', mode: download}}
    outputs: {{y: {{type: uri_folder}}}}
    distribution: {{type: pytorch, process_count_per_instance: 1}}
    services: {{a: {{type: vs_code}}}}
    identity: {{type: aml_token}}
    queue_settings: {{job_tier: spot}}
  third: {{type: command, component: 'azureml:c:1'}}
  fourth: {{component: 'azureml://registries/r/components/c/versions/1'}}
  fifth:
    type: command
    component: {{command: ls, environment: 'azureml:e:1', inputs: {{x: {{type: number}}}}}}
    inputs: {{x: {{value: 1}}}}
""",
    "a pipeline job of all steps": """
type: pipeline
inputs: {d: {type: uri_folder, path: 'azureml:d:1'}, t: {type: mltable, path: 'azureml:t:1'}}
jobs:
  sweep_step:
    type: sweep
    trial: ./step.yaml
    search_space: {x: {type: choice, values: [1, 2]}}
    objective: {goal: minimize, primary_metric: m}
    sampling_algorithm: random
    limits: {max_total_trials: 3}
    inputs: {d: '${{parent.inputs.d}}'}
    early_termination: {type: bandit, slack_amount: 0.1}
  parallel_step:
    type: parallel
    component: ./parallel.yaml
    inputs: {d: '${{parent.inputs.d}}'}
    mini_batch_size: '5'
    retry_settings: {timeout: 60, max_retries: 2}
    max_concurrency_per_instance: 2
    error_threshold: 3
    logging_level: INFO
  parallel_job:
    type: parallel
    inputs: {d: {type: mltable, path: '${{parent.inputs.d}}', mode: eval_mount}}
    outputs: {y: {type: uri_folder}}
    input_data: ${{inputs.d}}
    resources: {instance_count: 2}
    task:
      type: run_function
      code: ./code
      entry_script: score.py
      environment: azureml:e:1
      program_arguments: --x
      append_row_to: ${{outputs.y}}
  spark_step:
    type: spark
    component: ./spark.yaml
    resources: {instance_type: standard_e4s_v3, runtime_version: '3.4'}
  spark_job:
    type: spark
    code: ./code
    entry: {file: main.py}
    conf: {spark.driver.cores: 1, spark.driver.memory: 2g, spark.executor.cores: 2,
      spark.executor.memory: 2g, spark.executor.instances: 2}
    resources: {instance_type: standard_e4s_v3, runtime_version: '3.4'}
    inputs: {d: {type: uri_folder, path: '${{parent.inputs.d}}', mode: direct}}
  inner:
    type: pipeline
    component: ./inner.yaml
    inputs: {x: 1}
  automl_step:
    type: automl
    task: classification
    primary_metric: accuracy
    target_column_name: t
    training_data: ${{parent.inputs.t}}
    limits: {max_trials: 2}
    training: {enable_stack_ensemble: false}
    outputs: {best_model: {type: mlflow_model}}
""",
    "a pipeline job of automl steps": """
type: pipeline
inputs: {t: {type: mltable, path: 'azureml:t:1'}}
settings: {default_compute: azureml:c}
jobs:
  classify_images:
    type: automl
    task: image_classification
    primary_metric: accuracy
    target_column_name: label
    training_data: ${{parent.inputs.t}}
    test_data: {type: mltable, path: '${{parent.inputs.t}}'}
    training_parameters: {model_name: vitb16r224, optimizer: adam}
    sweep: {sampling_algorithm: random, early_termination: {type: bandit, slack_factor: 0.2}}
  find_objects:
    type: automl
    task: image_object_detection
    primary_metric: mean_average_precision
    target_column_name: label
    training_data: ${{parent.inputs.t}}
    test_data: {type: mltable, path: '${{parent.inputs.t}}'}
    training_parameters: {model_name: yolov5, log_training_metrics: enable}
  find_names:
    type: automl
    task: text_ner
    primary_metric: accuracy
    training_data: ${{parent.inputs.t}}
    validation_data: ${{parent.inputs.t}}
    featurization: {dataset_language: eng}
    training_parameters: {learning_rate_scheduler: linear}
""",
    "a pipeline job with a component": """
type: pipeline
component: ./inner.yaml
inputs: {x: 5}
settings: {default_compute: serverless}
""",
    "a pipeline job of data transfer": """
type: pipeline
settings: {default_compute: azureml:adf}
jobs:
  copy:
    type: data_transfer
    task: copy_data
    data_copy_mode: merge_with_overwrite
    compute: azureml:adf
    inputs: {a: {type: uri_folder, path: azureml:d:1}}
    outputs: {b: {type: uri_folder}}
  load:
    type: data_transfer
    task: import_data
    source: {type: database, connection: azureml:c, query: select 1}
    outputs: {sink: {type: mltable}}
  store:
    type: data_transfer
    task: export_data
    inputs: {source: {type: uri_file, path: azureml:d:1}}
    sink: {type: database, connection: azureml:c, table_name: t}
""",
    "an automl job": f"""
type: automl
{_EVERY_JOB}
task: classification
primary_metric: accuracy
compute: azureml:c
target_column_name: t
training_data: {{type: mltable, path: azureml:t:1}}
validation_data: {{type: mltable, path: azureml:t:1}}
test_data: {{type: mltable, path: azureml:t:1}}
limits: {{max_trials: 2, timeout_minutes: 10, enable_early_termination: true, exit_score: 0.5}}
featurization:
  mode: custom
  blocked_transformers: [LabelEncoder]
  column_name_and_types: {{a: Numeric}}
  transformer_params: {{imputer: [{{fields: [a], parameters: {{strategy: mean}}}}]}}
training:
  enable_stack_ensemble: true
  allowed_training_algorithms: [logistic_regression]
  stack_ensemble_settings: {{stack_meta_learner_type: logistic_regression}}
n_cross_validations: 5
positive_label: a
log_verbosity: debug
outputs: {{best_model: {{type: mlflow_model}}}}
""",
    "an automl job that forecasts": """
type: automl
task: forecasting
primary_metric: r2_score
target_column_name: t
training_data: {type: mltable, path: azureml:t:1}
forecasting:
  time_column_name: d
  forecast_horizon: 5
  target_lags: [1, 2]
  frequency: D
  country_or_region_for_holidays: US
  use_stl: season
  time_series_id_column_names: [a]
""",
    "an automl job of images": """
type: automl
task: image_classification
primary_metric: accuracy
target_column_name: label
training_data: {type: mltable, path: azureml:t:1}
limits: {max_trials: 2, timeout_minutes: 10}
training_parameters: {model_name: vitb16r224, early_stopping: 1, learning_rate: 0.1}
sweep: {sampling_algorithm: random, early_termination: {type: bandit, slack_factor: 0.2}}
search_space:
  - {model_name: {type: choice, values: [a, b]}, learning_rate: {type: uniform, min_value: 0.1,
      max_value: 1}, number_of_epochs: {type: choice, values: [1, 2]}}
""",
    "an automl job of text": """
type: automl
task: text_ner
primary_metric: accuracy
training_data: {type: mltable, path: azureml:t:1}
validation_data: {type: mltable, path: azureml:t:1}
limits: {max_trials: 2}
featurization: {dataset_language: eng}
""",
    "a finetuning job": """
type: finetuning
model_provider: custom
task: chat_completion
model: {type: mlflow_model, path: azureml:m:1}
training_data: {type: uri_file, path: data.csv}
validation_data: azureml:d:1
hyperparameters: {learning_rate: "0.1"}
resources: {instance_types: [a]}
outputs: {y: {type: mlflow_model, name: m}}
""",
    "a command component": """
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: c
display_name: d
description: e
version: 1
tags: {a: b}
is_deterministic: false
command: python main.py $[[--x ${{inputs.x}}]] ${{inputs.d}} ${{outputs.y}}
code: ./code
environment: {image: python:3, conda_file: ./conda.yaml}
resources: {instance_count: 2}
distribution: {type: pytorch, process_count_per_instance: 2}
additional_includes: [./main.py]
properties: {a: 1}
inputs:
  x: {type: integer, default: 5, min: 1, max: 10, optional: true, description: d}
  n: {type: number, default: 0.5}
  s: {type: string, enum: [a, b], default: a}
  b: {type: boolean, default: true}
  d: {type: uri_folder, mode: ro_mount}
outputs:
  y: {type: uri_folder, mode: upload}
  z: {type: boolean, early_available: true}
""",
    "a parallel component": f"""
{FILES["parallel.yaml"]}
version: 2
mini_batch_size: "10"
mini_batch_error_threshold: 5
error_threshold: 5
logging_level: DEBUG
retry_settings: {{timeout: 60, max_retries: 2}}
max_concurrency_per_instance: 2
resources: {{instance_count: 2}}
partition_keys: [a]
""",
    "a spark component": f"""
{FILES["spark.yaml"]}
inputs: {{d: {{type: uri_file, mode: direct}}}}
outputs: {{y: {{type: uri_folder, mode: direct}}}}
args: --x ${{{{inputs.d}}}}
environment: {{image: x, conda_file: conda.yaml}}
""",
    "a pipeline component": f"""
{FILES["inner.yaml"]}
version: "1"
display_name: d
outputs: {{y: {{type: uri_folder}}}}
""",
    "an import component": """
$schema: https://azuremlschemas.azureedge.net/latest/importComponent.schema.json
type: import
name: i
source: {type: {type: string}, connection: {type: string}}
output: {type: mltable}
""",
    "an automl component": """
$schema: https://azuremlschemas.azureedge.net/latest/autoMLComponent.schema.json
type: automl
name: a
task: classification
""",
    "a component that copies": """
type: data_transfer
task: copy_data
name: c
data_copy_mode: fail_if_conflict
inputs: {a: {type: uri_folder}}
outputs: {b: {type: uri_folder}}
""",
    "a component that imports": """
type: data_transfer
task: import_data
name: c
source: {type: database}
outputs: {sink: {type: mltable}}
""",
    "a component that exports": """
type: data_transfer
task: export_data
name: c
inputs: {source: {type: uri_file}}
sink: {type: file_system}
""",
    "a schedule of a local pipeline": """
$schema: https://azuremlschemas.azureedge.net/latest/schedule.schema.json
name: s
display_name: d
description: e
tags: {a: b}
trigger:
  type: recurrence
  frequency: day
  interval: 1
  start_time: "2026-01-31T10:00:00"
  end_time: "2026-02-28T10:00:00"
  time_zone: UTC
  schedule: {hours: [4, 5], minutes: 0, week_days: [monday, friday]}
create_job: ./pipeline.yaml
""",
    "a schedule with changes": """
name: s
trigger: {type: cron, expression: 0 * * * *, start_time: "2026-01-31T10:00:00"}
create_job:
  type: pipeline
  job: ./pipeline.yaml
  experiment_name: x
  inputs: {a: 1}
  settings: {default_compute: azureml:c}
""",
    "a schedule of a command job": """
name: s
trigger: {type: cron, expression: 0 * * * *}
create_job: {type: command, job: ./job.yaml, compute: azureml:c, tags: {a: b}}
""",
    "a schedule of a job in the workspace": """
name: s
trigger:
  type: recurrence
  frequency: month
  interval: 1
  schedule: {hours: 4, minutes: [0, 30], month_days: [1, 15]}
create_job: azureml:job
""",
    "a schedule that monitors": """
name: m
trigger: {type: recurrence, frequency: day, interval: 1}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
  monitoring_target: {ml_task: classification, endpoint_deployment_id: azureml:e:d}
  monitoring_signals:
    drift:
      type: data_drift
      reference_data:
        input_data: {type: mltable, path: azureml:d:1}
        data_context: training
        data_column_names: {target_column: t}
      features: {top_n_feature_importance: 5}
      metric_thresholds: {numerical: {jensen_shannon_distance: 0.01}}
      alert_enabled: true
  alert_notification: {emails: [a@example.org]}
""",
    "a schedule that imports data": """
name: i
trigger: {type: cron, expression: 0 * * * *}
import_data:
  type: mltable
  name: d
  path: azureml://datastores/d/paths/p
  source: {type: database, query: select 1, connection: azureml:c}
""",
}
