"""Run `:aml -- jobs diff`: what is different between two jobs, next to each other."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from azureml_jobs.base.console import (
    GREEN,
    RED,
    bold,
    coloured,
    duration_text,
    print_json,
    print_warning,
    time_text,
)
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.parallel import BackgroundCall
from azureml_jobs.bundle.manifest_file import read_manifest
from azureml_jobs.bundle.names import CODE_FOLDER
from azureml_jobs.cli.differences import PARTS, Change, ComparedJob, differences, value_pair
from azureml_jobs.cli.jobs import Row, WorkspaceJobs, is_on_this_machine, jobs_of

# Where standard output is no terminal.
_WIDTH = 120
_LEAST_CELL = 20


def diff_jobs(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    # A job that ran in both places is that of this machine.
    a, b = (
        (
            jobs_of(None, options.repository, login=False)
            if is_on_this_machine(name, options.repository)
            else jobs
        )
        for name in (options.a, options.b)
    )
    *sides, found = compared_pair((a, options.a), (b, options.b), with_code=True)
    if options.json:
        parts = {part: [asdict(change) for change in each] for part, each in found.items()}
        print_json({"a": _head(sides[0]), "b": _head(sides[1]), "parts": parts})
        return 0
    width = shutil.get_terminal_size((_WIDTH, 0)).columns
    print("\n".join(_lines([_head(side) for side in sides], found, width)))
    for side in sides:
        if side.problem:
            print_warning(f"only what the jobs logged is compared: {side.problem}")
    return 0


def compared_pair(
    a: tuple[WorkspaceJobs, str | Row], b: tuple[WorkspaceJobs, str | Row], with_code: bool
) -> tuple[ComparedJob, ComparedJob, dict[str, list[Change]]]:
    """Return two jobs, each a name or described already, and their differences.

    Raises `OutsideError` when a record that exists cannot be read.
    """
    # After Ctrl-C, a download that is left behind may still write.
    with tempfile.TemporaryDirectory(
        prefix="azureml-jobs-diff-", ignore_cleanup_errors=True
    ) as scratch:
        calls = [
            BackgroundCall(partial(_compared_job, *job, Path(scratch, letter), with_code))
            for letter, job in (("a", a), ("b", b))
        ]
        first, second = (call.result() for call in calls)
        return first, second, differences(first, second)


def _compared_job(
    jobs: WorkspaceJobs, named: str | Row, folder: Path, with_code: bool
) -> ComparedJob:
    job = jobs.describe(named) if isinstance(named, str) else named
    manifest, problem = None, ""
    try:
        jobs.record(job["name"], folder, with_code)
        manifest = read_manifest(folder)
    except OutsideError:
        raise
    except JobError as error:
        problem = f"{job['name']}: {error.what}"
    below = dict(_steps(job))
    steps = dict(zip(below, jobs.logged(list(below.values()))))
    code = folder / CODE_FOLDER if with_code and manifest else None
    return ComparedJob(job, manifest, code, steps, problem)


def _steps(job: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield label and name of the jobs below one that log values; of a sweep, the best trial."""
    for row in job["children"] or ():
        if job.get("objective"):
            if row["name"] == job["best_trial"]:
                yield f"{prefix}best trial", row["name"]
        elif row["children"]:
            yield from _steps(row, f"{prefix}{row['step']}/")
        elif row["name"]:
            yield prefix + row["step"], row["name"]


def _head(side: ComparedJob) -> dict[str, Any]:
    keys = ("name", "status", "duration", "created", "address")
    git = (side.manifest or {}).get("git") or {}
    known = {key: side.job[key] for key in keys}
    return {**known, "commit": git.get("commit"), "is_dirty": git.get("is_dirty")}


def _lines(
    heads: Sequence[Mapping[str, Any]], found: Mapping[str, Sequence[Change]], width: int
) -> Iterator[str]:
    """Yield the report: what the jobs are, what differs, what does not."""
    rows = [_head_texts(head) for head in heads]
    labels = [
        *rows[0],
        *(f"  {each.name}" for part in found if part != "code" for each in found[part]),
    ]
    label_width = max(map(len, labels))
    row = partial(_row, label_width, max((width - label_width - 4) // 2, _LEAST_CELL))
    for label in rows[0]:
        yield from row(label, rows[0][label], rows[1][label])
    for part in found:
        if found[part] and part != "code":
            yield f"\n{bold(part)}"
            for change in found[part]:
                yield from row(f"  {change.name}", *value_pair(change))
    if found.get("code"):
        yield f"\n{bold('code')}"
        for change in found["code"]:
            yield from _file_lines(change)
    yield ""
    if same := [part for part in found if not found[part]]:
        yield f"The same: {', '.join(same)}."
    if unknown := [part for part in PARTS if part not in found]:
        yield f"Not known: {', '.join(unknown)}."


def _head_texts(head: Mapping[str, Any]) -> dict[str, str]:
    commit = (head["commit"] or "")[:12] + (", changed" if head["is_dirty"] else "")
    return {
        "": head["name"],
        "status": f"{head['status']}, {duration_text(head['duration'])}",
        "created": time_text(head["created"]),
        "target": head["address"],
        "commit": commit or "not known",
    }


def _file_lines(change: Change) -> Iterator[str]:
    what = " is new" if change.a is None else " is gone" if change.b is None else ""
    yield f"  {change.name}{what}"
    for line in change.diff.splitlines():
        colour = {"+": GREEN, "-": RED}.get(line[:1])
        yield coloured(line, colour) if colour else line


def _row(label_width: int, width: int, label: str, a: str, b: str) -> Iterator[str]:
    """Yield the lines of a label and two texts next to each other, each wrapped to `width`."""
    cells = (
        [part for line in text.splitlines() for part in textwrap.wrap(line, width)]
        for text in (a, b)
    )
    for name, left, right in zip_longest([label], *cells, fillvalue=""):
        yield f"{name:<{label_width}}  {left:<{width}}  {right}".rstrip()
