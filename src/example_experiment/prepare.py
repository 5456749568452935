"""Hold out rows of the data: the first step of the pipeline."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from common import tabular
from example_experiment.model import LABEL


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="example_experiment.prepare", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="CSV file with all rows")
    parser.add_argument("--held-out", type=float, default=0.3, help="share of rows (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="picks them (%(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="folder for the two files")
    args = parser.parse_args(argv)

    table = tabular.read_table(args.data, label=LABEL)
    parts = tabular.split(table, held_out=args.held_out, seed=args.seed)
    args.output.mkdir(parents=True, exist_ok=True)
    for name, part in zip(("training", "held-out"), parts, strict=True):
        part.features.assign(**{LABEL: part.labels}).to_csv(
            args.output / f"{name}.csv", index=False
        )
        print(f"{name}: {len(part)} rows")


if __name__ == "__main__":
    main()
