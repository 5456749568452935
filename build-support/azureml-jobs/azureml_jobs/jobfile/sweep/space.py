"""The distributions of a search space, each as a function of numbers between 0 and 1.

The formulas are those of
https://learn.microsoft.com/azure/machine-learning/how-to-tune-hyperparameters, for example
`round(exp(uniform(min_value, max_value)) / q) * q` of `qloguniform`.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol, TypeAlias

# What `${{search_space.x}}` stands for; a mapping is one that the space has among its choices.
Value: TypeAlias = "str | int | float | dict[str, Any]"


# Normal distributions have no values at 0 and 1.
ENDS = (1e-9, 1 - 1e-9)


class Draws(Protocol):
    """Where samples come from; `name` says which of a trial's several draws one is."""

    def number(self, name: str) -> float:
        """Return a number between 0 and 1, both excluded."""

    def index(self, name: str, count: int) -> int:
        """Return one of `range(count)`."""


@dataclass(frozen=True)
class Range:
    """A distribution of numbers: `(randint|q?(log)?(uniform|normal))`, `a` and `b` as there."""

    type: str
    a: float = 0.0
    b: float = 0.0
    q: float | None = None
    base: float = math.e

    def value(self, name: str, draws: Draws) -> int | float:
        return self.at(draws.number(name))

    def at(self, number: float) -> int | float:
        """Return the value that this share of all values is below."""
        if self.type == "randint":
            return int(number * self.b)
        if self.type.endswith("normal"):
            value = NormalDist(self.a, self.b).inv_cdf(number) if self.b else self.a
        else:
            value = self.a + number * (self.b - self.a)
        if "log" in self.type:
            value = self.base**value
        return value if self.q is None else _rounded(value, self.q)


@dataclass(frozen=True)
class Choice:
    """One of some values; mappings among them may have distributions in turn."""

    values: tuple[Any, ...]

    def value(self, name: str, draws: Draws) -> Value:
        index = draws.index(name, len(self.values))
        chosen: Value = self.values[index]
        if not isinstance(chosen, dict):
            return chosen
        # What one choice has in it is independent of the others.
        return sample(chosen, draws, f"{name}.{index}.")


Distribution: TypeAlias = Range | Choice


def value_text(value: Value) -> str:
    """Return the value as commands and environment variables get it."""
    return json.dumps(value) if isinstance(value, dict) else str(value)


def sample(space: Mapping[str, Any], draws: Draws, prefix: str = "") -> dict[str, Value]:
    """Return a value for each name of the search space."""
    return {
        name: each.value(prefix + name, draws) if isinstance(each, (Range, Choice)) else each
        for name, each in space.items()
    }


def grid(space: Mapping[str, Any]) -> Iterator[dict[str, Value]]:
    """Yield all combinations of a search space that has choices only."""
    choices = [list(_choices(each)) for each in space.values()]
    for combination in itertools.product(*choices):
        yield dict(zip(space, combination))


def is_discrete(space: Mapping[str, Any]) -> bool:
    """Return whether the search space has choices only, so that `grid` can list it."""
    choices = [
        value for each in space.values() if isinstance(each, Choice) for value in each.values
    ]
    has_range = any(isinstance(each, Range) for each in space.values())
    return not has_range and all(is_discrete(each) for each in choices if isinstance(each, dict))


def _choices(each: Any) -> Iterator[Value]:
    for value in each.values if isinstance(each, Choice) else (each,):
        if isinstance(value, dict):
            yield from grid(value)
        else:
            yield value


def _rounded(value: float, q: float) -> int | float:
    number = round(value / q) * q
    # Not 0.30000000000000004; and a whole number as one, which `type=int` of argparse reads, too.
    number = float(f"{number:.12g}")
    return int(number) if number.is_integer() else number
