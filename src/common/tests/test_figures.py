"""Test what the figures show."""

import numpy as np
from common import figures


def test_writes_every_count_into_its_cell() -> None:
    axes = figures.confusion_matrix(np.array([[5, 1], [0, 7]]), ["A", "B"]).axes[0]
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "5", (1, 0): "1", (0, 1): "0", (1, 1): "7"}
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["A", "B"]
