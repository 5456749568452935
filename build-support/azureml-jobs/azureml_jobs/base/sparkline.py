"""A curve in one line of text."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from statistics import fmean
from typing import Any

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 24


def sparkline(values: Sequence[Any]) -> str:
    """Return the curve of values, from left to right; a longer one is averaged to fit.

    Values that are not finite, which may be text such as `NaN`, leave a gap. Empty for fewer than
    two values, and where standard output has no such letters.
    """
    if len(values) < 2 or not (sys.stdout.encoding or "").lower().startswith("utf"):
        return ""
    count = min(len(values), _WIDTH)
    bounds = [len(values) * each // count for each in range(count + 1)]
    means = [_mean(values[start:end]) for start, end in zip(bounds, bounds[1:])]
    finite = [mean for mean in means if mean is not None]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(" " if mean is None else _bar(mean, low, high) for mean in means)


def _mean(values: Sequence[Any]) -> float | None:
    finite = [number for number in map(float, values) if math.isfinite(number)]
    return fmean(finite) if finite else None


def _bar(value: float, low: float, high: float) -> str:
    # Divided before it is subtracted: the difference of two large numbers may be infinite.
    scale = max(abs(low), abs(high)) or 1.0
    span = high / scale - low / scale
    share = (value / scale - low / scale) / span if span else 0.5
    return _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]
