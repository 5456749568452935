from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.overrides import apply_overrides
from hypothesis import given
from hypothesis import strategies as st

JOB = read_job_file(
    """\
    command: python main.py ${{inputs.extra}} ${{inputs.more}}
    environment: azureml:e:1
    environment_variables: {A: b}
    resources: {locations: [eastus]}
    inputs:
      epochs: 5
      rate: 0.1
      verbose: true
      text: '5'
      data: {type: uri_file, path: old.csv}
      wrapped: {value: 5}
    outputs:
      model:
    """,
    "job.yaml",
)


PIPELINE = read_job_file(
    """\
    type: pipeline
    inputs: {epochs: 5}
    settings: {default_compute: azureml:c}
    jobs:
      train:
        type: command
        component: ./train.yaml
        inputs: {epochs: 1, rate: 0.5, name: x}
      tune:
        type: sweep
        trial: ./train.yaml
        objective: {goal: minimize, primary_metric: m}
        limits: {max_total_trials: 3}
        search_space: {rate: {type: uniform, min_value: 0, max_value: 1}}
    """,
    "job.yaml",
)


def apply(*settings: str) -> dict[str, Any]:
    """Apply settings to the job, or to the pipeline where they can only be meant for that."""
    job = PIPELINE if settings[0].startswith(("jobs.", "settings.")) else JOB
    return apply_overrides(job, settings, "job.yaml")


@cases(
    "setting, value",
    {
        "a new key": ("compute=gpu", "gpu"),
        "text stays text": ("name=5", "5"),
        "an equals sign in the value": ("description=a=b", "a=b"),
        "an empty value": ("description=", ""),
        "a missing level": ("tags.owner=me", "me"),
        "a dot within a key": ("tags.a\\.b=c", "c"),
        "a mapping as YAML": ("tags={a: b}", {"a": "b"}),
        "variable": ("environment_variables.X=1", "1"),
        "braces": ("environment_variables.X={}", "{}"),
        "integer": ("resources.instance_count=2", 2),
        "list": ("resources.locations=[a, b]", ["a", "b"]),
        "an index": ("resources.locations.0=x", "x"),
        "brackets": ("resources.locations[0]=x", "x"),
        "the end": ("resources.locations.1=x", "x"),
        "args": ("resources.docker_args=--gpus all", "--gpus all"),
        "one arg": ("resources.docker_args.0=-x", "-x"),
        "an integer, a new level": ("limits.timeout=60", 60),
        "an integer literal": ("inputs.epochs=20", 20),
        "a fraction stays a fraction": ("inputs.rate=1", 1.0),
        "an exponent": ("inputs.rate=1e-3", 0.001),
        "a boolean literal": ("inputs.verbose=no", False),
        "a text literal": ("inputs.text=7", "7"),
        "a text with braces": ("inputs.text={a: b}", "{a: b}"),
        "a value key": ("inputs.wrapped.value=7", 7),
        "a path": ("inputs.data.path=./x.csv", "./x.csv"),
        "an input that the command names": ("inputs.extra=3", 3),
        "such an input as text": ("inputs.extra=a b", "a b"),
        "as data": ("inputs.more.path=x", "x"),
        "output": ("outputs.model.mode=upload", "upload"),
        "a choice": ("distribution.type=PyTorch", "PyTorch"),
        "a reference": ("environment=azureml:f:2", "azureml:f:2"),
        "inline": ("environment={image: x}", {"image": "x"}),
        "an integer of a step": ("jobs.train.inputs.epochs=7", 7),
        "a text of a step": ("jobs.train.inputs.name=7", "7"),
        "a binding": (
            "jobs.train.inputs.epochs=${{parent.inputs.epochs}}",
            "${{parent.inputs.epochs}}",
        ),
        "a new level of a step": ("jobs.train.resources.instance_count=2", 2),
        "a compute of a step": ("jobs.train.compute=azureml:c", "azureml:c"),
        "a limit of a sweep step": ("jobs.tune.limits.max_total_trials=9", 9),
        "a search space": ("jobs.tune.search_space.rate.max_value=0.5", 0.5),
        "a trial": ("jobs.tune.trial=./other.yaml", "./other.yaml"),
        "a setting": ("settings.default_compute=azureml:d", "azureml:d"),
        "a boolean setting": ("settings.force_rerun=yes", True),
    },
)
def test_sets_a_value_of_the_right_type(setting: str, value: Any) -> None:
    found: Any = apply(setting)
    for step in re.split(r"(?<!\\)\.", setting.partition("=")[0].replace("[0]", ".0")):
        found = found[int(step) if isinstance(found, list) else step.replace(r"\.", ".")]
    assert found == value and type(found) is type(value)


@cases(
    "setting, where, says",
    {
        "no equals sign": ("foo", "job.yaml", "there is no `=`"),
        "no key": ("=x", "job.yaml", "a part of the key is empty"),
        "two dots": ("tags..a=x", "job.yaml", "a part of the key is empty"),
        "a typo": ("computee=x", "job.yaml: computee", "Did you mean `compute`?"),
        "a typo below": ("resources.count=2", "job.yaml: resources.count", "`instance_count`"),
        "a level high": ("shm_size=2g", "job.yaml: shm_size", "`resources.shm_size`"),
        "read-only": ("status=x", "job.yaml: status", "Azure ML sets `status` itself"),
        "word": ("inputs.epochs=abc", "job.yaml: inputs.epochs", "expects an integer"),
        "fraction": ("inputs.epochs=2.5", "job.yaml: inputs.epochs", "`epochs: 5.0`"),
        "no number": ("inputs.rate=fast", "job.yaml: inputs.rate", "expects a number"),
        "nan": ("inputs.rate=nan", "job.yaml: inputs.rate", "expects a number"),
        "no boolean": ("inputs.verbose=maybe", "job.yaml: inputs.verbose", "`true` or"),
        "input": ("inputs.epoch=5", "job.yaml: inputs.epoch", "Did you mean `epochs`?"),
        "data of an input that is not there": (
            "inputs.gone.path=x",
            "job.yaml: inputs.gone: ",
            "no input",
        ),
        "data": ("inputs.data=x", "job.yaml: inputs.data", "inputs.data.path=x`"),
        "a literal": ("inputs.epochs.path=x", "job.yaml: inputs.epochs", "has no keys"),
        "reference": ("environment.image=x", "job.yaml: environment", "has no keys"),
        "mapping": ("resources=2", "job.yaml: resources", "expects keys and values"),
        "broken YAML": ("tags={", "job.yaml: tags", "not valid YAML"),
        "index": ("resources.locations.5=x", "job.yaml: resources.locations", "0 to 1"),
        "key": ("resources.locations.a=x", "job.yaml: resources.locations", "not an index"),
        "choice": ("distribution.type=mp", "job.yaml: distribution.type", "`mpi`"),
        "huge": ("limits.timeout=" + "9" * 5000, "job.yaml: limits", "an integer"),
        "no integer of a step": (
            "jobs.train.inputs.epochs=x",
            "job.yaml: jobs.train.inputs.epochs",
            "expects an integer",
        ),
        "a typo in a step": (
            "jobs.train.comput=x",
            "job.yaml: jobs.train.comput",
            "Did you mean `compute`?",
        ),
        "a choice of a step": (
            "jobs.tune.objective.goal=min",
            "job.yaml: jobs.tune.objective.goal",
            "`minimize`",
        ),
        "a limit of a sweep step": (
            "jobs.tune.limits.max_trials=2",
            "job.yaml: jobs.tune.limits.max_trials",
            "`max_total_trials`",
        ),
    },
)
def test_refuses_an_invalid_setting(setting: str, where: str, says: str) -> None:
    with pytest.raises(JobError) as caught:
        apply(setting)
    assert str(caught.value).startswith(where)
    assert f"`--set {setting}`" in str(caught.value)
    assert says in str(caught.value)


def test_sets_values_of_a_component_and_of_a_schedule() -> None:
    component = {"name": "c", "version": 1, "command": "ls", "inputs": {"x": {"type": "integer"}}}
    changed = apply_overrides(component, ["inputs.x.default=5", "version=2"], "c.yaml")
    assert changed["inputs"]["x"]["default"] == 5 and changed["version"] == "2"
    schedule = {"name": "s", "trigger": {"type": "recurrence"}, "create_job": "./job.yaml"}
    changed = apply_overrides(schedule, ["trigger.interval=3", "create_job=./b.yaml"], "s.yaml")
    assert changed["trigger"]["interval"] == 3 and changed["create_job"] == "./b.yaml"


def test_reports_all_settings_that_are_wrong() -> None:
    with pytest.raises(JobError) as caught:
        apply("foo", "compute=gpu", "computee=x")
    assert "2 errors" in str(caught.value)
    assert "--set foo" in str(caught.value)
    assert "--set computee=x" in str(caught.value)


def test_later_settings_win() -> None:
    assert apply("compute=a", "compute=b")["compute"] == "b"


def test_keeps_the_job_itself_and_the_order_of_its_keys() -> None:
    before = copy.deepcopy(JOB)
    changed = apply("inputs.data.path=x", "resources.locations.0=y", "tags.a=b", "command=c")
    assert JOB == before
    assert list(changed) == [*JOB, "tags"]
    assert list(changed["inputs"]) == list(JOB["inputs"])


def test_values_shared_by_a_yaml_alias_change_one_at_a_time() -> None:
    text = "command: x\ninputs:\n  a: &a {type: uri_file, path: old}\n  b: *a\n"
    job = read_job_file(text, "job.yaml")
    inputs = apply_overrides(job, ["inputs.a.path=new"], "job.yaml")["inputs"]
    assert inputs["a"]["path"] == "new"
    assert inputs["b"]["path"] == "old"


def test_unknown_types_of_jobs_are_refused() -> None:
    with pytest.raises(JobError, match="is not a type of job"):
        apply_overrides({"type": "swap"}, ["compute=x"], "job.yaml")


@given(
    st.integers(min_value=-(10**15), max_value=10**15),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_numbers_round_trip(integer: int, fraction: float) -> None:
    inputs = apply(f"inputs.epochs={integer}", f"inputs.rate={fraction}")["inputs"]
    assert (inputs["epochs"], inputs["rate"]) == (integer, fraction)


@given(st.text())
def test_text_round_trips(value: str) -> None:
    changed = apply(f"inputs.text={value}", f"tags.a={value}")
    assert (changed["inputs"]["text"], changed["tags"]["a"]) == (value, value)


@given(st.text(min_size=1))
def test_any_name_of_a_tag_can_be_written(name: str) -> None:
    written = name.replace(".", r"\.")
    if "=" in name or "\\" in name or "[" in name or written.strip() != written:
        return
    assert apply(f"tags.{written}=x")["tags"][name] == "x"


@given(st.text(alphabet="abc.=[]{}0 \\", max_size=12), st.sampled_from(["", *JOB]))
def test_any_setting_is_applied_or_refused_with_a_message(setting: str, key: str) -> None:
    try:
        apply(f"{key}{setting}")
    except JobError as error:
        assert str(error)
