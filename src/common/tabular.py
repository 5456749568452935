"""Read a CSV file with one label column, and split it for training and validation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split


@dataclass(frozen=True)
class Table:
    """Rows with numeric features, and the class of each row."""

    features: pd.DataFrame
    labels: pd.Series

    @property
    def classes(self) -> list[str]:
        return sorted(self.labels.unique())

    def __len__(self) -> int:
        return len(self.labels)


def read_table(path: Path, label: str) -> Table:
    """Read the CSV file at `path`, whose column `label` has the classes.

    Raises `ValueError` when that column is missing, or when a feature is empty or not a number.
    """
    # Labels are names, even if they look like numbers.
    frame = pd.read_csv(path, dtype={label: str})
    if label not in frame.columns:
        raise ValueError(f"{path}: no column {label!r}; it has {', '.join(frame.columns)}")
    features = frame.drop(columns=label)
    for name in features.columns:
        if not pd.api.types.is_numeric_dtype(features[name]):
            raise ValueError(f"{path}: column {name!r} has values that are not numbers")
    incomplete = frame.columns[frame.isna().any()]
    if len(incomplete):
        raise ValueError(f"{path}: empty values in {', '.join(incomplete)}")
    return Table(features.astype(float), frame[label])


def split(table: Table, held_out: float, seed: int) -> tuple[Table, Table]:
    """Return the rows to train on, and the share `held_out` (0 to 1) of all rows to validate with.

    Both parts have the classes in the same proportions. The same seed gives the same split.
    """
    train_x, test_x, train_y, test_y = train_test_split(
        table.features,
        table.labels,
        test_size=held_out,
        random_state=seed,
        stratify=table.labels,
    )
    return Table(train_x, train_y), Table(test_x, test_y)
