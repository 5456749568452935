from __future__ import annotations

from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.schema.check import check_schema
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
