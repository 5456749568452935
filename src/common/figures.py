"""Draw figures of results. They need no display, so they work in a job as on a laptop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure


def confusion_matrix(counts: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw how often each class (rows) was predicted as which class (columns)."""
    # Unlike figures of pyplot, this one needs no display and is freed after use.
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(counts, cmap="Blues", vmin=0)
    figure.colorbar(image, ax=axes, label="rows")
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    darkest = counts.max()
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if count > darkest / 2 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour)
    return figure
