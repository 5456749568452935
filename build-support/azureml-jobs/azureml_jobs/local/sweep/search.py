"""Choose the values of a sweep's trials: a grid, or samples of Optuna."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azureml_jobs.jobfile.sweep.read import Sweep
from azureml_jobs.jobfile.sweep.space import ENDS, Value, grid, is_discrete, sample

if TYPE_CHECKING:
    import optuna

# How often to sample again when all samples were values that a trial has had already.
_ATTEMPTS = 100


class Search:
    """The values of one trial after another, each only once as in Azure ML."""

    def __init__(self, sweep: Sweep) -> None:
        self._space = sweep.space
        self._has_ranks = sweep.algorithm != "bayesian"
        self._study = None if sweep.algorithm == "grid" else _study(sweep)
        self._seen: set[str] = set()
        self._asked: list[optuna.trial.Trial | None] = []
        self._values = self._candidates()

    def ask(self) -> dict[str, Value] | None:
        """Return the values of the next trial, None when there are no others."""
        for trial, values in self._values:
            key = json.dumps(values, sort_keys=True)
            if key not in self._seen:
                self._seen.add(key)
                self._asked.append(trial)
                return values
            self._tell(trial, None)
        return None

    def tell(self, number: int, score: float | None) -> None:
        """Report how good the trial of this number, from 0, was; None when it has no result."""
        self._tell(self._asked[number], score)

    def _candidates(self) -> Iterator[tuple[optuna.trial.Trial | None, dict[str, Value]]]:
        attempts = 0
        while self._study is not None and attempts < _ATTEMPTS:
            trial, before = self._study.ask(), len(self._seen)
            yield trial, sample(self._space, _Draws(trial, self._has_ranks))
            attempts = attempts + 1 if len(self._seen) == before else 0
        if is_discrete(self._space):
            yield from ((None, values) for values in grid(self._space))

    def _tell(self, trial: optuna.trial.Trial | None, score: float | None) -> None:
        if self._study is not None and trial is not None:
            from optuna.trial import TrialState

            state = TrialState.FAIL if score is None else TrialState.COMPLETE
            self._study.tell(trial, score, state=state)


def _study(sweep: Sweep) -> optuna.Study:
    import optuna
    from optuna.samplers import BaseSampler, QMCSampler, RandomSampler, TPESampler

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler: BaseSampler
    with warnings.catch_warnings():
        # The Sobol sampler "is experimental", and so is how the Bayesian one treats open trials.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if sweep.algorithm == "bayesian":
            # Trials that run count as poor ones, so that parallel trials differ.
            sampler = TPESampler(seed=sweep.seed, constant_liar=True)
        elif sweep.algorithm == "sobol":
            sampler = QMCSampler(
                qmc_type="sobol", scramble=True, seed=sweep.seed, warn_independent_sampling=False
            )
        else:
            sampler = RandomSampler(seed=sweep.seed)
    return optuna.create_study(sampler=sampler, direction="maximize")


@dataclass(frozen=True)
class _Draws:
    """Draws of a trial; only a sampler of ranks takes what is chosen from for an order."""

    trial: optuna.trial.Trial
    has_ranks: bool

    def number(self, name: str) -> float:
        return self.trial.suggest_float(name, *ENDS)

    def index(self, name: str, count: int) -> int:
        if self.has_ranks:
            return self.trial.suggest_int(name, 0, count - 1)
        return int(self.trial.suggest_categorical(name, range(count)))
