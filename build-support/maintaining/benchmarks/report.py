"""Write `commands.md` and `commands.png` with what `commands.py` and `tasks.py` found."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib.pyplot as plt

# `./pants run` runs in the root of the repository.
FOLDER = Path("build-support/maintaining/benchmarks")
OURS, PANTS = "ours", "Pants alone"
# By measure, number of experiments and who.
Costs = dict[tuple[str, int, str], list[dict[str, Any]]]


def spread(seconds: list[float]) -> str:
    return f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"


def cell(costs: list[dict[str, Any]]) -> str:
    """Return median and spread of the processor time, and the median of the seconds."""
    if not costs:
        return ""
    processor = spread([each["processor"] for each in costs])
    return f"{processor}, {median(each['seconds'] for each in costs):.1f}"


def table(found: Costs) -> list[str]:
    lines = [
        f"| experiments | command | {OURS} | {PANTS} | ratio | daemons (GB) |",
        "|---|---|---|---|---|---|",
    ]
    for measure, experiments in dict.fromkeys(key[:2] for key in found):
        ours, pants = (found.get((measure, experiments, who), []) for who in (OURS, PANTS))
        ratio = ""
        if pants:
            both = [median(each["processor"] for each in costs) for costs in (ours, pants)]
            ratio = f"{both[0] / max(both[1], 0.01):.1f}"
        memory = [median(each["gigabytes"] for each in costs) for costs in (ours, pants) if costs]
        gigabytes = " and ".join(f"{each:.1f}" for each in memory)
        row = (str(experiments), measure, cell(ours), cell(pants), ratio, gigabytes)
        lines.append(f"| {' | '.join(row)} |")
    return lines


def plot(found: Costs) -> None:
    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    for number, measure in enumerate(dict.fromkeys(key[0] for key in found)):
        for who, style in ((OURS, "-o"), (PANTS, "--x")):
            points = [
                (key[1], median(each["processor"] for each in costs))
                for key, costs in found.items()
                if key[0] == measure and key[2] == who
            ]
            label = measure if who == OURS else None
            if points:
                axes.plot(*zip(*points), style, color=f"C{number}", label=label)
    axes.set(xscale="log", yscale="log", xlabel="experiments", ylabel="processor time (s)")
    axes.set_title(f"{OURS} (lines) and {PANTS} (dashes)")
    figure.legend(loc="outside right upper", fontsize="small")
    figure.savefig(FOLDER / "commands.png")


def tasks_table(costs: list[dict[str, Any]]) -> list[str]:
    lines = [
        f"| task | {OURS} (median, spread) | reference | its seconds | ratio |",
        "|---|---|---|---|---|",
    ]
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for each in costs:
        found[each["task"]][each["who"]].append(each["seconds"])
    for task, seconds in found.items():
        ours = seconds.pop(OURS)
        ((reference, theirs),) = seconds.items()
        ratio = median(ours) / median(theirs)
        row = (task, spread(ours), reference, spread(theirs), f"{ratio:.1f}")
        lines.append(f"| {' | '.join(row)} |")
    return lines


def read(name: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the line that says where a result was made, and its costs."""
    content = json.loads(Path("dist", name).read_text(encoding="utf-8"))
    machine = ", ".join(f"{name} {value}" for name, value in content["machine"].items())
    return f"Made by `report.py`. Machine: {machine}.", content["costs"]


def main() -> None:
    made, costs = read("commands.json")
    found: Costs = defaultdict(list)
    for each in costs:
        found[each["measure"], each["experiments"], each["who"]].append(each)
    tasks_made, tasks = read("tasks.json")
    page = [
        "# Commands in projects of 1 to 1,000 experiments",
        "",
        "Seconds of processor time: median and spread, then the seconds that passed.",
        made,
        "",
        "![Plot](commands.png)",
        "",
        *table(found),
        "",
        "## Whole tasks",
        "",
        "Seconds that passed, with the reference in the same run: median and spread.",
        tasks_made,
        "",
        *tasks_table(tasks),
        "",
    ]
    (FOLDER / "commands.md").write_text("\n".join(page), encoding="utf-8")
    plot(found)


if __name__ == "__main__":
    main()
