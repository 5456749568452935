from __future__ import annotations

from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
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


def test_accepts_a_job_with_everything_in_it() -> None:
    job = read_job_file(
        """\
        $schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
        type: command
        name: a
        display_name: b
        experiment_name: c
        description: d
        tags: {owner: me}
        command: python main.py ${{inputs.data}}
        code: ..
        environment: {build: {path: docker, dockerfile_path: Dockerfile}}
        environment_variables: {A: b, C: 5}
        compute: azureml:cluster
        resources: {instance_count: "2", shm_size: 2g, docker_args: [--ipc, host]}
        distribution: {type: PyTorch, process_count_per_instance: 2}
        limits: {timeout: 3600}
        inputs:
          data: {type: uri_file, path: data.csv, mode: ro_mount}
          epochs: 5
        outputs: {model: {type: uri_folder}, other: }
        services: {code: {type: vs_code}}
        identity: {type: user_identity}
        queue_settings: {job_tier: spot}
        """,
        "job.yaml",
    )
    check_schema(job, "job.yaml")


@pytest.mark.parametrize(
    ("line", "where", "says"),
    [
        pytest.param("comput: x", "comput", "Did you mean `compute`?", id="a letter is missing"),
        pytest.param(
            "shm_size: 2g",
            "shm_size",
            "has this key as `resources.shm_size`",
            id="a level too high",
        ),
        pytest.param(
            "resources: {instances_count: 2}",
            "resources.instances_count",
            "Did you mean `instance_count`?",
            id="an unknown key further down",
        ),
        pytest.param("banana: 1", "banana", "Valid here: `code`, `command`", id="no similar key"),
        pytest.param("compute:", "compute", "has no value", id="no value"),
        pytest.param("name: 5", "name", 'Write it in quotes: `"5"`', id="a number as text"),
        pytest.param("name: yes", "name", 'Write it in quotes: `"true"`', id="a boolean as text"),
        pytest.param("tags: {a: 2024-01-31}", "tags.a", "(a date)", id="a date as text"),
        pytest.param("tags: {on: a}", "tags.True", "Quote the key", id="a boolean key"),
        pytest.param(
            "environment_variables: {ON: 1}",
            "environment_variables.True",
            "Quote the key",
            id="a variable that YAML reads as a boolean",
        ),
        pytest.param(
            "limits: {timeout: 1h}", "limits.timeout", "expects an integer", id="no integer"
        ),
        pytest.param(
            "distribution: {type: mp}",
            "distribution.type",
            "Did you mean `mpi`?",
            id="a bad choice",
        ),
        pytest.param(
            "distribution: {worker_count: 2}", "distribution.type", "is missing", id="no type"
        ),
        pytest.param(
            "distribution: {type: mpi, worker_count: 2}",
            "distribution.worker_count",
            "Valid here: `process_count_per_instance`, `type`",
            id="a key of another type",
        ),
        pytest.param(
            "inputs: {p: {type: integer}}",
            "inputs.p.type",
            "write `p: VALUE`",
            id="a component's input",
        ),
        pytest.param(
            "inputs: {my-x: 5}", "inputs.my-x", "Write for example `my_x`", id="a hyphen in a name"
        ),
        pytest.param("inputs: {x: [1]}", "inputs.x", "cannot be a list", id="a list as input"),
        pytest.param("inputs: {x: .nan}", "inputs.x", "expects text, a number", id="not a number"),
        pytest.param("tags: [a]", "tags", "expects keys and values and has a list", id="a list"),
        pytest.param(
            "services: {s: {ssh_public_keys: k, log_dir: l}}",
            "services.s.log_dir",
            "unknown key `log_dir`",
            id="a service of two kinds",
        ),
    ],
)
def test_names_the_key_and_what_to_write(line: str, where: str, says: str) -> None:
    message = refusal(f"{SMALL}{line}\n")
    assert where in message
    assert says in message


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        pytest.param("e:1", "Write `azureml:NAME:VERSION`", id="no prefix"),
        pytest.param(
            "{description: x}", "neither an image nor a Dockerfile", id="nothing to run in"
        ),
        pytest.param(
            "{image: x, build: {path: .}}", "both an image and a Dockerfile", id="too much"
        ),
        pytest.param("{image: x, conda: y}", "Did you mean `conda_file`?", id="an unknown key"),
    ],
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


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        pytest.param(
            "name: s\ntrigger: {type: cron, expression: x, start_time: 2026-01-31}\n"
            "create_job: ./p.yml",
            "trigger.start_time",
            'Write it in quotes: `"2026-01-31T00:00:00"`',
            id="a date without quotes",
        ),
        pytest.param("name: s\ncreate_job: ./p.yml", "trigger", "Add `trigger:`", id="no trigger"),
        pytest.param(
            STEP.replace("command", "comand") + "component: azureml:c:1",
            "jobs.a.type",
            "Did you mean `command`?",
            id="a step of an unknown type",
        ),
        pytest.param(
            STEP + "command: ls\n    enviroment: azureml:e:1",
            "jobs.a.enviroment",
            "Did you mean `environment`?",
            id="an unknown key of a step",
        ),
        pytest.param(
            STEP + "component: azureml:c:1\n    resources: {instance_count: two}",
            "jobs.a.resources.instance_count",
            "expects an integer or",
            id="no integer in a step",
        ),
        pytest.param(
            STEP + "command: ls\n    inputs: {x: '${{parent.jobs.b.outputs.y}}'}",
            "jobs.a.inputs.x",
            "names no step of this pipeline",
            id="a binding to nothing",
        ),
        pytest.param(
            STEP.replace("command", "parallel") + "task: {type: model, environment: azureml:e:1}\n"
            "    banana: 1",
            "jobs.a.banana",
            "unknown key",
            id="an unknown key of a parallel step",
        ),
        pytest.param(
            "type: pipeline\njobs: {My-Step: {component: azureml:c:1}}",
            "jobs.My-Step",
            "Write for example `my_step`",
            id="the name of a step",
        ),
        pytest.param(
            "type: pipeline\nsettings: {default_compute: gpu}",
            "settings.default_compute",
            "Or write `azureml:NAME`",
            id="a reference without its prefix",
        ),
        pytest.param(
            "type: sweep\ntrial: {command: ls, environment: azureml:e:1}\n"
            "objective: {goal: minimise, primary_metric: m}\nlimits: {max_total_trials: 1}",
            "objective.goal",
            "Did you mean `minimize`?",
            id="a goal",
        ),
        pytest.param(
            "type: spark\ncode: .\nentry: {fle: main.py}",
            "entry.fle",
            "Did you mean `file`?",
            id="a key that is missing and misspelled",
        ),
        pytest.param("type: automl\ntask: clasification", "task", "`classification`", id="a task"),
        pytest.param(
            "name: c\ncommand: ls\nenvironment: azureml:e:1\n"
            "inputs: {x: {type: integer, default: abc}}",
            "inputs.x.default",
            "Write an integer",
            id="a default of another type",
        ),
        pytest.param(
            "name: My-C\nversion: 1\ncommand: ls\nenvironment: azureml:e:1",
            "name",
            "Write for example `my_c`",
            id="the name of a component",
        ),
        pytest.param(
            "name: c\nversion: 1\ncomand: ls\nenvironment: azureml:e:1",
            "command",
            "Write `command` in place of `comand`",
            id="a misspelled key of a component",
        ),
    ],
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
