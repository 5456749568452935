"""Evaluate a model on rows that it was not trained with: the last step of the pipeline."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from common import tabular, tracking
from example_experiment.model import LABEL, SoftmaxRegression


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="example_experiment.evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--data", type=Path, required=True, help="CSV file with the rows")
    parser.add_argument("--output", type=Path, required=True, help="folder for the scores")
    args = parser.parse_args(argv)

    table = tabular.read_table(args.data, label=LABEL)
    model = SoftmaxRegression.load(args.model)
    with tracking.start_run(tags={"model": "softmax"}):
        scores = tracking.log_classification(list(table.labels), model.predict(table.features))
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "scores.json").write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
    print(f"accuracy {scores['accuracy']:.3f} on {len(table)} held-out rows")


if __name__ == "__main__":
    main()
