"""Read a CSV file with one label column, and split it for training and validation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split


@dataclass(frozen=True)
class Table:
    """Rows with numeric features and the class that each belongs to."""

    features: pd.DataFrame
    labels: pd.Series

    @property
    def classes(self) -> list[str]:
        return sorted(self.labels.unique())

    def __len__(self) -> int:
        return len(self.labels)


def read_table(path: Path, label: str) -> Table:
    """Read the CSV file at `path`; the column `label` holds the classes.

    Raises `ValueError` when that column is missing, or when a feature is empty or not a number.
    """
    # Labels are names, also where they look like numbers.
    frame = pd.read_csv(path, dtype={label: str})
    if label not in frame.columns:
        raise ValueError(f"{path}: no column {label!r}; it has {', '.join(frame.columns)}")
    features = frame.drop(columns=label)
    for name in features.columns:
        if not pd.api.types.is_numeric_dtype(features[name]):
            raise ValueError(f"{path}: column {name!r} holds something that is not a number")
    incomplete = frame.columns[frame.isna().any()]
    if len(incomplete):
        raise ValueError(f"{path}: empty values in {', '.join(incomplete)}")
    return Table(features.astype(float), frame[label])


def split(table: Table, held_out: float, seed: int) -> tuple[Table, Table]:
    """Rows to train on, and the share `held_out` of them (0 to 1) to validate with.

    Both parts hold the classes in equal proportions. The same seed gives the same split.
    """
    train_x, test_x, train_y, test_y = train_test_split(
        table.features,
        table.labels,
        test_size=held_out,
        random_state=seed,
        stratify=table.labels,
    )
    return Table(train_x, train_y), Table(test_x, test_y)
