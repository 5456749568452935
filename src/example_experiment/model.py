"""Softmax regression on standardised features, trained by gradient descent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from common.tabular import Table

# The column of the data with the class to predict.
LABEL = "cultivar"
FILE_NAME = "model.json"


@dataclass
class SoftmaxRegression:
    """A linear classifier, and the scaling of the features that it was trained with."""

    features: list[str]
    classes: list[str]
    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    @classmethod
    def untrained(cls, training: Table) -> SoftmaxRegression:
        """Return a model to which all classes of `training` are equally likely."""
        values = training.features.to_numpy()
        spread = values.std(axis=0)
        return cls(
            features=list(training.features.columns),
            classes=training.classes,
            mean=values.mean(axis=0),
            # A constant feature would divide by zero.
            scale=np.where(spread > 0, spread, 1.0),
            weights=np.zeros((values.shape[1], len(training.classes))),
            bias=np.zeros(len(training.classes)),
        )

    def train_epoch(self, training: Table, learning_rate: float) -> None:
        """Take one step of gradient descent over all rows."""
        inputs = self._standardised(training.features)
        error = (self.probabilities(training.features) - self._one_hot(training)) / len(training)
        self.weights -= learning_rate * inputs.T @ error
        self.bias -= learning_rate * error.sum(axis=0)

    def probabilities(self, features: pd.DataFrame) -> np.ndarray:
        """Return one row for each row of `features`, with one column for each class."""
        scores = self._standardised(features) @ self.weights + self.bias
        # Only differences count; without this, large scores would overflow.
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, features: pd.DataFrame) -> list[str]:
        """Return the likeliest class of each row."""
        return [self.classes[i] for i in self.probabilities(features).argmax(axis=1)]

    def loss(self, table: Table) -> float:
        """Return the mean cross-entropy, in nats; 0 is perfect."""
        true_class = (self.probabilities(table.features) * self._one_hot(table)).sum(axis=1)
        return float(-np.log(np.clip(true_class, 1e-15, 1)).mean())

    def save(self, folder: Path) -> Path:
        """Write the model into `folder` as JSON, which runs no code when it is read."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE_NAME
        content = {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(self).items()
        }
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, folder: Path) -> SoftmaxRegression:
        """Read the model that `save` wrote into `folder`."""
        content = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return cls(
            features=content["features"],
            classes=content["classes"],
            mean=np.array(content["mean"]),
            scale=np.array(content["scale"]),
            weights=np.array(content["weights"]),
            bias=np.array(content["bias"]),
        )

    def _standardised(self, features: pd.DataFrame) -> np.ndarray:
        return (features[self.features].to_numpy() - self.mean) / self.scale

    def _one_hot(self, table: Table) -> np.ndarray:
        return (table.labels.to_numpy()[:, None] == np.array(self.classes)).astype(float)


def train(
    model: SoftmaxRegression, training: Table, validation: Table, epochs: int, learning_rate: float
) -> Iterator[tuple[int, dict[str, float]]]:
    """Train `model` in place; yield each epoch's number, from 1 on, and its losses."""
    for epoch in range(1, epochs + 1):
        model.train_epoch(training, learning_rate)
        yield epoch, {
            "train_loss": model.loss(training),
            "validation_loss": model.loss(validation),
        }
