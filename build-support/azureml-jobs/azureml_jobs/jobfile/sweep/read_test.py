from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.ai.ml import load_job
from azure.ai.ml._utils.utils import map_single_brackets_and_warn
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.expressions import with_two_braces
from azureml_jobs.jobfile.limits import limit_findings
from azureml_jobs.jobfile.sweep.check import sweep_doubts
from azureml_jobs.jobfile.sweep.read import EarlyTermination, Sweep, read_sweep
from azureml_jobs.jobfile.sweep.space import Choice, Range, Value, grid, is_discrete, sample

SWEEP = """
type: sweep
trial: {command: python main.py, environment: azureml:e:1}
objective: {goal: Maximize, primary_metric: auc}
limits: {max_total_trials: 8}
search_space: {x: {type: choice, values: [1]}}
"""


def read(text: str) -> Sweep:
    return read_sweep(sweep_of(text), "sweep.yaml")


def sweep_of(text: str) -> dict[str, Any]:
    return {**yaml.safe_load(SWEEP), **yaml.safe_load(text)}


class Middle:
    """Draws that are the middle of everything."""

    def number(self, name: str) -> float:
        return 0.5

    def index(self, name: str, count: int) -> int:
        return count // 2


def test_reads_all_that_a_sweep_says() -> None:
    assert (
        read("""
        sampling_algorithm: {type: Random, seed: "3", rule: Sobol}
        limits: {max_total_trials: 8, max_concurrent_trials: "2", timeout: 60, trial_timeout: 5}
        early_termination: {type: TruncationSelection, truncation_percentage: 20}
        """)
        == Sweep(
            space={"x": Choice((1,))},
            metric="auc",
            maximize=True,
            algorithm="sobol",
            seed=3,
            max_total_trials=8,
            max_concurrent_trials=2,
            timeout=60,
            trial_timeout=5,
            early_termination=EarlyTermination("truncation_selection", percentage=20),
        )
    )


def test_what_is_not_given_has_the_defaults_of_azure_ml() -> None:
    sweep = read("early_termination: {type: bandit, evaluation_interval: '0'}")
    assert (sweep.algorithm, sweep.seed, sweep.max_concurrent_trials) == ("random", None, 8)
    assert sweep.early_termination == EarlyTermination("bandit", interval=1, delay=0)


@pytest.mark.parametrize(
    ("distribution", "value"),
    [
        ("{type: choice, values: [1, x, 1e-3]}", "x"),
        ("{type: Choice, values: [{a: 1, b: {type: uniform, min_value: 1, max_value: 2}}]}",
         {"a": 1, "b": 1.5}),
        ("{type: randint, upper: '5'}", 2),
        ("{type: uniform, min_value: 1e-3, max_value: 2}", 1.0005),
        ("{type: quniform, min_value: 0, max_value: 1.16, q: 0.1}", 0.6),
        ("{type: quniform, min_value: 1, max_value: 10, q: 2}", 6),
        ("{type: loguniform, min_value: -2, max_value: 2}", 1.0),
        ("{type: loguniform, min_value: 0, max_value: 2}", math.e),
        ("{type: qloguniform, min_value: 0, max_value: 4, q: 1}", 7),
        ("{type: normal, mu: 3, sigma: 2}", 3.0),
        ("{type: qnormal, mu: 3.4, sigma: 2, q: 1}", 3),
        ("{type: lognormal, mu: 1, sigma: 2}", math.e),
        ("{type: qlognormal, mu: 1, sigma: 0, q: 0.5}", 2.5),
    ],
)  # fmt: skip
def test_distributions_have_the_formulas_of_azure_ml(distribution: str, value: Value) -> None:
    space = read(f"search_space: {{x: {distribution}}}").space
    sampled = sample(space, Middle())["x"]
    assert sampled == (pytest.approx(value) if isinstance(value, float) else value)
    assert type(sampled) is type(value)


def test_logarithms_have_the_base_of_the_sampling() -> None:
    space = "search_space: {x: {type: loguniform, min_value: 0, max_value: 4}}"
    ten = "sampling_algorithm: {type: random, logbase: 10}"
    assert sample(read(f"{space}\n{ten}").space, Middle()) == {"x": 100.0}
    natural = ten.replace("10", "e")
    assert read(f"{space}\n{natural}").space == read(space).space


def test_a_grid_has_every_combination_of_choices_also_of_those_in_choices() -> None:
    inner = {"b": Choice((1, 2)), "c": "x"}
    space = {"a": Choice(("y", inner)), "d": Choice((3,))}
    assert is_discrete(space)
    assert list(grid(space)) == [
        {"a": "y", "d": 3},
        {"a": {"b": 1, "c": "x"}, "d": 3},
        {"a": {"b": 2, "c": "x"}, "d": 3},
    ]
    assert not is_discrete({"a": Choice(({"b": Range("uniform")},))})


SPACE = """
search_space:
  a: {type: choice, values: [1.0, 1, "1", 1e-3, 1.5e-3, x]}
  b: {type: uniform, min_value: 1e-3, max_value: "2"}
  c: {type: QNormal, mu: 1, sigma: 2, q: 0.5}
  d: {type: choice, values: [{e: {type: choice, values: [1]}, f: {type: randint, upper: 7}, g: x}]}
"""


def test_reads_values_as_azure_ai_ml_sends_them(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(yaml.dump(sweep_of(SPACE)))
    job: Any = load_job(tmp_path / "sweep.yaml")
    sent = job._to_rest_object().properties.search_space
    space = read(SPACE).space

    def as_sent(each: Any) -> Any:
        if isinstance(each, Choice):
            return ["choice", [[as_sent(value) for value in each.values]]]
        if isinstance(each, dict):
            return {name: as_sent(value) for name, value in each.items()}
        if isinstance(each, Range):
            ends = [each.b] if each.type == "randint" else [each.a, each.b]
            return [each.type, ends + ([] if each.q is None else [each.q])]
        return each

    assert as_sent(space) == sent
    assert isinstance(space["a"], Choice)
    assert [type(value) for value in space["a"].values] == [float, int, str, str, float, str]


@pytest.mark.parametrize(
    "command",
    [
        "a {inputs.x}/b {outputs.y} {search_space.z}",
        "a ${{inputs.x}} {{inputs.x}} {inputs} ${inputs.x} {input.x}",
    ],
)
def test_one_brace_becomes_two_as_in_azure_ai_ml(command: str) -> None:
    assert with_two_braces(command) == map_single_brackets_and_warn(command)


@pytest.mark.parametrize(
    ("changed", "where", "says"),
    [
        ("limits: {max_total_trials: 0}", "limits.max_total_trials", "between 1 and 1000"),
        ("limits: {max_total_trials: 2, max_concurrent_trials: 1001}",
         "limits.max_concurrent_trials", "1001"),
        ("search_space: {x: {type: choice}}", "search_space.x", "nothing to choose"),
        ("search_space: {a-b: {type: randint, upper: 2}}", "search_space.a-b", "letters, digits"),
        ("sampling_algorithm: Grid\nsearch_space: {x: {type: randint, upper: 2}}",
         "search_space.x", "a grid has choices only"),
    ],
)  # fmt: skip
def test_finds_what_the_service_refuses(changed: str, where: str, says: str) -> None:
    step = {"type": "pipeline", "jobs": {"s": sweep_of(changed)}}
    for document, prefix in ((sweep_of(changed), ""), (step, "jobs.s.")):
        (finding,) = limit_findings(document)
        assert finding.key_path == prefix + where
        assert says in finding.what


def test_doubts_what_only_sweeps_on_this_machine_can_have() -> None:
    space = "search_space: {x: {type: loguniform, min_value: 0, max_value: 1}}"
    (doubt,) = sweep_doubts(sweep_of(f"sampling_algorithm: Bayesian\n{space}"))
    assert doubt.key_path == "search_space.x"
    assert not list(sweep_doubts(sweep_of(f"sampling_algorithm: random\n{space}")))


@pytest.mark.parametrize(
    "distribution",
    [
        "{type: normal, mu: 0, sigma: -1}",
        "{type: loguniform, min_value: 0, max_value: 1000}",
        "{type: quniform, min_value: 0, max_value: 1, q: 0}",
        "{type: choice, values: [{y: {type: choice}}]}",
        "{type: randint, upper: 3}}\nsampling_algorithm: {type: grid",
        "{type: choice, values: [1]}}\nsampling_algorithm: {type: random, seed: -1",
        f"{{type: choice, values: [1]}}}}\nsampling_algorithm: {{type: random, seed: {2**32}",
    ],
)
def test_refuses_what_nothing_can_be_sampled_from(distribution: str) -> None:
    with pytest.raises(JobError, match="sweep.yaml: a value of the sweep is not valid: "):
        read(f"search_space: {{x: {distribution}}}")
