"""Draw a metric of several jobs into a PNG: a script for a Python that has matplotlib.

It reads JSON from standard input: `metric`, `axis`, `path`, and `curves`, each with a `label`, `x`
and `y`.
"""

from __future__ import annotations

import json
import sys

import matplotlib  # pants: no-infer-dep

# Needs no screen.
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402  # pants: no-infer-dep

# A value with two `$` is no formula.
matplotlib.rcParams["text.parse_math"] = False

# More names have no room.
_MOST_NAMES = 30

given = json.load(sys.stdin)
curves = given["curves"]
figure, axes = pyplot.subplots(figsize=(9, 5), layout="constrained")
# Many trials in their order; the usual ten colours would begin again.
axes.set_prop_cycle(color=matplotlib.colormaps["turbo"].resampled(len(curves) + 2).colors[1:-1])
for curve in curves:
    # A single value would not be seen without a mark.
    marker = "." if len(curve["x"]) < 40 else ""
    axes.plot(curve["x"], curve["y"], label=curve["label"], marker=marker)
axes.xaxis.get_major_locator().set_params(integer=given["axis"] == "step")
axes.set(xlabel=given["axis"], ylabel=given["metric"])
axes.grid(alpha=0.3)
if len(curves) <= _MOST_NAMES:
    figure.legend(loc="outside right upper", fontsize="small")
figure.savefig(given["path"], dpi=120)
