"""Measure commands in projects of 1 to 1,000 experiments, next to Pants without this scaffolding.

README.md in this folder says how to run it and what it measures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from repositories import OURS, daemon, machine, make_plain, make_project, names, stop_daemon

PANTS = "Pants alone"
MAKERS: dict[str, Callable[[Path, int], None]] = {OURS: make_project, PANTS: make_plain}
CHANGED = ("--changed-since=HEAD", "--changed-dependents=transitive", "list")


@dataclass
class Cost:
    """What one command costs; `processor` and `gigabytes` are those of the daemon at its end."""

    measure: str
    who: str
    experiments: int
    seconds: float
    processor: float
    gigabytes: float


class Project:
    """A project in which commands are measured."""

    def __init__(self, root: Path, who: str, experiments: int) -> None:
        self.root, self.who, self.experiments = root, who, experiments

    def measure(self, measure: str, *arguments: str) -> Cost:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("P")}
        environment = {**kept, "PATH": os.environ["PATH"]}
        before = processor_time(daemon(self.root))
        begun = time.monotonic()
        subprocess.run(
            ["./pants", *arguments],
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        seconds, after = time.monotonic() - begun, daemon(self.root)
        processor = processor_time(after) - before
        memory = after.memory_info().rss / 1e9 if after else 0
        return Cost(measure, self.who, self.experiments, seconds, processor, memory)

    @contextmanager
    def edited(self, number: int) -> Iterator[None]:
        """Edit a module of one experiment, until the block ends."""
        name = names(self.experiments)[number % self.experiments]
        path = self.root / "src" / name / "part_3.py"
        before = path.read_text(encoding="utf-8")
        path.write_text(f"{before}# {time.time()}\n", encoding="utf-8")
        yield
        path.write_text(before, encoding="utf-8")


def processor_time(daemon: psutil.Process | None) -> float:
    """Return the seconds of a daemon and of the processes that it started."""
    return sum(daemon.cpu_times()[:4]) if daemon else 0


def costs(project: Project) -> Iterator[Cost]:
    """Measure each command once."""
    stop_daemon(project.root)
    yield project.measure("first command", "list", f"src/{names(1)[0]}:")
    dry_run = ("run", f"src/{names(1)[0]}:job", "--", "--dry-run")
    if project.who == OURS:
        yield project.measure("first dry run", *dry_run)
        yield project.measure("dry run, nothing changed", *dry_run)
        with project.edited(0):
            yield project.measure("dry run after an edit", *dry_run)
    yield project.measure("list of all targets", "list", "::")
    with project.edited(1):
        yield project.measure("first changed-since", *CHANGED)
    with project.edited(2):
        yield project.measure("changed-since after an edit", *CHANGED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--times", type=int, default=3, help="how often to measure everything")
    parser.add_argument("--output", type=Path, default=Path("dist/commands.json"))
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="projects-") as folder:
        for experiments in options.sizes:
            projects = [
                Project(Path(folder, f"{who}-{experiments}"), who, experiments) for who in MAKERS
            ]
            for project in projects:
                MAKERS[project.who](project.root, experiments)
            for _ in range(options.times):
                # In turn, so that what else the machine does meets both.
                for project in projects:
                    for cost in costs(project):
                        print(
                            f"{cost.measure:<28} {cost.who:<12} {cost.experiments:>5} "
                            f"{cost.seconds:>7.1f} s {cost.processor:>7.1f} s CPU "
                            f"{cost.gigabytes:>5.1f} GB",
                            flush=True,
                        )
                        found.append(asdict(cost))
                    stop_daemon(project.root)
    options.output.parent.mkdir(exist_ok=True)
    result = {"machine": machine(), "costs": found}
    options.output.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
