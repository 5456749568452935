"""Test that the model learns, and that it can be saved and loaded."""

from pathlib import Path

import numpy as np
import pytest
from common import tabular
from common.tabular import Table
from example_experiment.local import SAMPLE
from example_experiment.model import LABEL, SoftmaxRegression, train


@pytest.fixture(scope="module")
def parts() -> tuple[Table, Table]:
    return tabular.split(tabular.read_table(SAMPLE, label=LABEL), held_out=0.3, seed=1)


@pytest.fixture(scope="module")
def trained(parts: tuple[Table, Table]) -> tuple[SoftmaxRegression, list[dict[str, float]]]:
    model = SoftmaxRegression.untrained(parts[0])
    return model, [losses for _, losses in train(model, *parts, epochs=60, learning_rate=0.5)]


def test_all_classes_are_equally_likely_to_an_untrained_model(parts: tuple[Table, Table]) -> None:
    assert SoftmaxRegression.untrained(parts[0]).loss(parts[1]) == pytest.approx(np.log(3))


def test_the_loss_falls_from_epoch_to_epoch(
    trained: tuple[SoftmaxRegression, list[dict[str, float]]],
) -> None:
    curve = [losses["train_loss"] for losses in trained[1]]
    assert curve == sorted(curve, reverse=True)
    assert trained[1][-1]["validation_loss"] < 0.15


def test_recognises_unseen_wines(
    parts: tuple[Table, Table], trained: tuple[SoftmaxRegression, list[dict[str, float]]]
) -> None:
    unseen = parts[1]
    assert np.mean(np.array(trained[0].predict(unseen.features)) == unseen.labels) > 0.93


def test_predicts_the_same_after_it_was_saved_and_loaded(
    tmp_path: Path,
    parts: tuple[Table, Table],
    trained: tuple[SoftmaxRegression, list[dict[str, float]]],
) -> None:
    trained[0].save(tmp_path / "new" / "folder")
    loaded = SoftmaxRegression.load(tmp_path / "new" / "folder")
    features = parts[1].features
    assert np.array_equal(loaded.probabilities(features), trained[0].probabilities(features))
    # Columns are found by name: their order in a file does not matter.
    assert loaded.predict(features[features.columns[::-1]]) == loaded.predict(features)
