"""Train on the data input, log with MLflow, save the model: this is what the job runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import mlflow
from common import tabular, tracking
from example_experiment.model import LABEL, SoftmaxRegression, train


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="example_experiment.main", description=__doc__)
    parser.add_argument("--training-data", type=Path, required=True, help="CSV file to train on")
    parser.add_argument("--epochs", type=int, default=60, help="passes over the data (%(default)s)")
    parser.add_argument("--learning-rate", type=float, default=0.5, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="picks held-out rows (%(default)s)")
    # Azure ML keeps what a job writes to the folder `outputs`, even when no output is declared.
    parser.add_argument("--model-output", type=Path, default=Path("outputs"), help="(%(default)s)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    table = tabular.read_table(args.training_data, label=LABEL)
    training, validation = tabular.split(table, held_out=0.3, seed=args.seed)
    model = SoftmaxRegression.untrained(training)

    with tracking.start_run(tags={"model": "softmax", "dataset": args.training_data.name}):
        # Log no paths: they differ between machines, and a parameter cannot change when a job is
        # started again on another one.
        mlflow.log_params(
            {"epochs": args.epochs, "learning_rate": args.learning_rate, "seed": args.seed}
        )
        for epoch, losses in train(model, training, validation, args.epochs, args.learning_rate):
            mlflow.log_metrics(losses, step=epoch)
            if epoch % 10 == 0 or epoch == args.epochs:
                shown = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
                # Flush, so that the line is in the job's log at once.
                print(f"epoch {epoch}/{args.epochs}  {shown}", flush=True)
        scores = tracking.log_classification(
            list(validation.labels), model.predict(validation.features)
        )

    saved = model.save(args.model_output)
    scores_file = saved.with_name("metrics.json")
    scores_file.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
    print(f"accuracy {scores['accuracy']:.3f} on {len(validation)} held-out rows; model: {saved}")


if __name__ == "__main__":
    main()
