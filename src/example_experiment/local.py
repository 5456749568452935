"""Try the model on little data, without a job and without MLflow: edit, run, look, repeat.

Put your own data into the repository's folder `data`, which this script finds as `../data`:
`./pants run src/example_experiment:local -- --data ../data/my.csv`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from common import tabular, terminal
from example_experiment.model import LABEL, SoftmaxRegression, train

SAMPLE = Path(__file__).parent / "sample-data" / "wine.csv"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="example_experiment.local", description=__doc__)
    parser.add_argument("--data", type=Path, default=SAMPLE, help="CSV file; default: the sample")
    parser.add_argument("--epochs", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--learning-rate", type=float, default=0.5, help="(%(default)s)")
    args = parser.parse_args(argv)

    table = tabular.read_table(args.data, label=LABEL)
    training, validation = tabular.split(table, held_out=0.3, seed=1)
    model = SoftmaxRegression.untrained(training)
    history = list(train(model, training, validation, args.epochs, args.learning_rate))
    print(terminal.table(["epoch", "train", "validation"], [(n, *l.values()) for n, l in history]))

    predicted = model.predict(validation.features)
    right = sum(a == b for a, b in zip(predicted, validation.labels, strict=True))
    print(f"accuracy {right / len(validation):.3f} on {len(validation)} held-out rows")


if __name__ == "__main__":
    main()
