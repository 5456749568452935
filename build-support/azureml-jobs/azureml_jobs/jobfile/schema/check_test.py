from __future__ import annotations

from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.schema.check import check_schema
from azureml_jobs.jobfile.schema.kind import kind_of
from azureml_jobs.jobfile.schema.node import SchemaNode

SMALL = "command: python main.py\nenvironment: azureml:e:1\n"


def refusal(text: str) -> str:
    with pytest.raises(JobError) as caught:
        check_schema(read_job_file(text, "job.yaml"), "job.yaml")
    assert caught.value.status == 2
    return str(caught.value)


@cases(
    "line, where, says",
    {
        "a letter is missing": ("comput: x", "comput", "Did you mean `compute`?"),
        "a level too high": ("shm_size: 2g", "shm_size", "has this key as `resources.shm_size`"),
        "an unknown key further down": (
            "resources: {instances_count: 2}",
            "resources.instances_count",
            "Did you mean `instance_count`?",
        ),
        "no similar key": ("banana: 1", "banana", "Valid here: `code`, `command`"),
        "no value": ("compute:", "compute", "has no value"),
        "a number as text": ("name: 5", "name", 'Write it in quotes: `"5"`'),
        "a boolean as text": ("name: yes", "name", 'Write it in quotes: `"true"`'),
        "a date as text": ("tags: {a: 2024-01-31}", "tags.a", "(a date)"),
        "a boolean key": ("tags: {on: a}", "tags.True", "Quote the key"),
        "a variable that YAML reads as a boolean": (
            "environment_variables: {ON: 1}",
            "environment_variables.True",
            "Quote the key",
        ),
        "no integer": ("limits: {timeout: 1h}", "limits.timeout", "a number without a unit"),
        "a bad choice": ("distribution: {type: mp}", "distribution.type", "Did you mean `mpi`?"),
        "no type": ("distribution: {worker_count: 2}", "distribution.type", "is missing"),
        "a key of another type": (
            "distribution: {type: mpi, worker_count: 2}",
            "distribution.worker_count",
            "Valid here: `process_count_per_instance`, `type`",
        ),
        "a component's input": (
            "inputs: {p: {type: integer}}",
            "inputs.p.type",
            "write `p: VALUE`",
        ),
        "a hyphen in a name": ("inputs: {my-x: 5}", "inputs.my-x", "Write for example `my_x`"),
        "a list as input": ("inputs: {x: [1]}", "inputs.x", "cannot be a list"),
        "not a number": ("inputs: {x: .nan}", "inputs.x", "expects text, a number"),
        "a list": ("tags: [a]", "tags", "expects keys and values and has a list"),
        "a service of two kinds": (
            "services: {s: {ssh_public_keys: k, log_dir: l}}",
            "services.s.log_dir",
            "unknown key `log_dir`",
        ),
    },
)
def test_names_the_key_and_what_to_write(line: str, where: str, says: str) -> None:
    message = refusal(f"{SMALL}{line}\n")
    assert where in message
    assert says in message


@cases(
    "environment, says",
    {
        "no prefix": ("e:1", "Write `azureml:NAME:VERSION`"),
        "nothing to run in": ("{description: x}", "neither an image nor a Dockerfile"),
        "too much": ("{image: x, build: {path: .}}", "both an image and a Dockerfile"),
        "an unknown key": ("{image: x, conda: y}", "Did you mean `conda_file`?"),
    },
)
def test_says_what_is_wrong_with_an_environment(environment: str, says: str) -> None:
    message = refusal(f"command: python main.py\nenvironment: {environment}\n")
    assert message.startswith("job.yaml: environment")
    assert says in message


def test_names_a_missing_command_and_a_missing_environment() -> None:
    message = refusal("compute: azureml:x")
    assert "- command: this key is missing. Add for example `command: python main.py`." in message
    assert "- environment: this key is missing." in message


def test_lists_all_errors_in_the_order_of_the_file() -> None:
    message = refusal(f"limits: {{timeout: x}}\n{SMALL}name: 5\nbanana: 1\n")
    assert message.startswith("job.yaml: 3 errors in this job file.")
    assert message.index("limits.timeout") < message.index("- name") < message.index("banana")


STEP = "type: pipeline\njobs:\n  a:\n    type: command\n    "


@cases(
    "text, where, says",
    {
        "a date without quotes": (
            "name: s\ntrigger: {type: cron, expression: x, start_time: 2026-01-31}\n"
            "create_job: ./p.yml",
            "trigger.start_time",
            'Write it in quotes: `"2026-01-31T00:00:00"`',
        ),
        "no trigger": ("name: s\ncreate_job: ./p.yml", "trigger", "Add `trigger:`"),
        "a step of an unknown type": (
            STEP.replace("command", "comand") + "component: azureml:c:1",
            "jobs.a.type",
            "Did you mean `command`?",
        ),
        "an unknown key of a step": (
            STEP + "command: ls\n    enviroment: azureml:e:1",
            "jobs.a.enviroment",
            "Did you mean `environment`?",
        ),
        "no integer in a step": (
            STEP + "component: azureml:c:1\n    resources: {instance_count: two}",
            "jobs.a.resources.instance_count",
            "expects an integer or",
        ),
        "a bad value in a step without a type": (
            "type: pipeline\njobs: {a: {component: azureml:c:1, queue_settings: {job_tier: gold}}}",
            "jobs.a.queue_settings.job_tier",
            "`gold` is not valid here",
        ),
        "a binding to nothing": (
            STEP + "command: ls\n    inputs: {x: '${{parent.jobs.b.outputs.y}}'}",
            "jobs.a.inputs.x",
            "names no step of this pipeline",
        ),
        "an unknown key of a parallel step": (
            STEP.replace("command", "parallel") + "task: {type: model, environment: azureml:e:1}\n"
            "    banana: 1",
            "jobs.a.banana",
            "unknown key",
        ),
        "the name of a step": (
            "type: pipeline\njobs: {My-Step: {component: azureml:c:1}}",
            "jobs.My-Step",
            "Write for example `my_step`",
        ),
        "a reference without its prefix": (
            "type: pipeline\nsettings: {default_compute: gpu}",
            "settings.default_compute",
            "Or write `azureml:NAME`",
        ),
        "a goal": (
            "type: sweep\ntrial: {command: ls, environment: azureml:e:1}\n"
            "objective: {goal: minimise, primary_metric: m}\nlimits: {max_total_trials: 1}",
            "objective.goal",
            "Did you mean `minimize`?",
        ),
        "a key that is missing and misspelled": (
            "type: spark\ncode: .\nentry: {fle: main.py}",
            "entry.fle",
            "Did you mean `file`?",
        ),
        "a task": ("type: automl\ntask: clasification", "task", "`classification`"),
        "a default of another type": (
            "name: c\ncommand: ls\nenvironment: azureml:e:1\n"
            "inputs: {x: {type: integer, default: abc}}",
            "inputs.x.default",
            "Write an integer",
        ),
        "the name of a component": (
            "name: My-C\nversion: 1\ncommand: ls\nenvironment: azureml:e:1",
            "name",
            "Write for example `my_c`",
        ),
        "a misspelled key of a component": (
            "name: c\nversion: 1\ncomand: ls\nenvironment: azureml:e:1",
            "command",
            "Write `command` in place of `comand`",
        ),
    },
)
def test_reports_one_slip_in_one_message(text: str, where: str, says: str) -> None:
    message = refusal(text)
    assert message.startswith(f"job.yaml: {where}: ")
    assert says in message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("command: ls", "command job"),
        ("type: pipeline", "pipeline job"),
        ("type: Pipeline", None),
        ("type: parallel", "parallel component"),
        ("$schema: https://x/latest/commandComponent.schema.json", "command component"),
        ("$schema: http://azureml/sdk-2-0/SparkComponent.json\ntype: spark", "spark component"),
        ("$schema: https://x/pipelineJob.schema.json\ntype: command", "command job"),
        ("$schema: https://x/environment.schema.json\nimage: x", None),
        ("$schema: https://x/schedule.schema.json", "job schedule"),
        ("name: c\nversion: 1\ntype: Command@default", "command component"),
        ("name: c\ninputs: {x: {type: number}}", "command component"),
        ("name: c\ninputs: {x: {type: uri_file, path: x}}", "command job"),
        ("type: data_transfer\ntask: copy_data", "copy_data component"),
        ("trigger: {}\ncreate_monitor: {}", "monitor schedule"),
        ("trigger: {}\nimport_data: {}", "import schedule"),
        ("type: [a]", None),
    ],
)
def test_knows_the_kind_of_a_file(text: str, kind: str | None) -> None:
    assert kind_of(read_job_file(text, "job.yaml")) == kind


@pytest.mark.parametrize("job_type", ["Command", "5", "[a]"])
def test_says_what_type_to_write(job_type: str) -> None:
    assert "is not a type of job" in refusal(f"type: {job_type}\n")


def test_leaves_out_what_azure_ml_sets() -> None:
    node = SchemaNode.root("command job")
    assert "command" in node.keys()
    assert "status" not in node.keys()


@pytest.mark.parametrize("kind", ["command job", "pipeline job", "parallel component"])
def test_refuses_odd_values_with_a_message(kind: str) -> None:
    odd: list[Any] = [None, [], {}, "", 0, True, [{}], {"a": None}, {"": {}}]
    for key in SchemaNode.root(kind).keys():
        for value in odd:
            try:
                check_schema({key: value}, "job.yaml", kind)
            except JobError as error:
                assert str(error)
