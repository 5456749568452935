"""Choose the values of a sweep's trials; what Azure ML would choose does not matter to a client."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# The names that a step of a pipeline gives to the arguments of a distribution.
_ARGUMENTS = ("values", "min_value", "max_value", "mu", "sigma", "upper", "q")


def choices(search_space: Mapping[str, Any], algorithm: Any) -> Iterator[dict[str, Any]]:
    """Yield values for trials: all combinations for a grid, otherwise random ones without end.

    A sweep job has `{"lr": ["uniform", [0.1, 1]]}`; a sweep in a pipeline the mapping of its YAML.
    """
    space = {name: _distribution(given) for name, given in search_space.items()}
    settings = algorithm if isinstance(algorithm, dict) else {"type": algorithm}
    if str(settings.get("samplingAlgorithmType") or settings.get("type")).lower() == "grid":
        for values in itertools.product(*(arguments[0] for _, arguments in space.values())):
            yield dict(zip(space, values))
        return
    generator = random.Random(settings.get("seed") or 0)
    while True:
        yield {name: _value(*given, generator) for name, given in space.items()}


def _distribution(given: Any) -> tuple[str, Sequence[Any]]:
    if isinstance(given, dict):
        return given["type"], [given[key] for key in _ARGUMENTS if key in given]
    kind, arguments = given
    return kind, arguments


def _value(kind: str, arguments: Sequence[Any], generator: random.Random) -> Any:
    if kind == "choice":
        return generator.choice(arguments[0])
    if kind == "randint":
        return generator.randrange(arguments[0])
    draw = generator.gauss if kind.endswith("normal") else generator.uniform
    value = draw(*arguments[:2])
    if "log" in kind:
        value = math.exp(value)
    return round(value / arguments[2]) * arguments[2] if kind.startswith("q") else value
