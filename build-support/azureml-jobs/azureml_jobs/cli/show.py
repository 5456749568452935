"""Run `:aml -- jobs show`: first how the job ended, where, what it logged and what it made."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from azureml_jobs.base.console import (
    bold,
    duration_text,
    print_json,
    print_part,
    print_warning,
    short_path,
    sparkline,
    status_coloured,
    table,
    time_text,
    value_texts,
)
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.parallel import BackgroundCall
from azureml_jobs.cli.diff import compared_pair
from azureml_jobs.cli.differences import change_text
from azureml_jobs.cli.job_tree import parameters_of, print_children
from azureml_jobs.cli.jobs import Row, WorkspaceJobs
from azureml_jobs.local.usage import usage_text

# In Azure each curve is a request.
_MOST_CURVES = 24
_MOST_ARTIFACTS = 20
_MOST_CHANGES = 4


def show_job(jobs: WorkspaceJobs, options: argparse.Namespace) -> int:
    name, job = options.name, jobs.describe(options.name)
    if options.json:
        history = jobs.curves([name], sorted(job["metrics"]))[name]
        print_json({**job, "metric_history": history})
        return 0
    changes = BackgroundCall(partial(_changes, jobs, job))
    _print_outcome(job)
    _print_metrics(jobs, job)
    _print_values("outputs", {name: short_path(path) for name, path in job["outputs"].items()})
    print_children(job)
    print("".join(f"{line}\n" for line in changes.result()), end="")
    _print_values("parameters", value_texts(parameters_of(job)))
    _print_values("details", _details(job))
    tags = {key: text for key, text in job["tags"].items() if not key.startswith("mlflow.")}
    _print_values("tags", tags)
    _print_artifacts(job["artifacts"])
    return 0


def _print_outcome(job: Mapping[str, Any]) -> None:
    duration = "" if job["duration"] is None else f" after {duration_text(job['duration'])}"
    print(f"{bold(job['name'])}  {status_coloured(job['status'])}{duration}, {_where(job)}")
    exit_status = "" if job["exit_code"] in (None, 0) else f"exit status {job['exit_code']}"
    for text in filter(None, (job["error"], exit_status)):
        print("  " + text.replace("\n", "\n  "))


def _where(job: Mapping[str, Any]) -> str:
    if "runtime" not in job:
        return f"on {job['compute'] or 'serverless compute'}"
    image = (job["container"] or {}).get("image")
    return f"on this machine, {job['runtime']}" + (f" {image}" if image else "")


def _print_metrics(jobs: WorkspaceJobs, job: Row) -> None:
    """Print the last values with their curves; for a sweep those of its best trial."""
    title, name, metrics = "metrics", job["name"], job["metrics"]
    if not metrics and job.get("best_trial"):
        name = job["best_trial"]
        title, metrics = f"metrics of {name}, the best trial", jobs.logged([name])[0]["metrics"]
    if not metrics:
        return
    names, texts = sorted(metrics), value_texts(metrics)
    curves = jobs.curves([name], names[:_MOST_CURVES])[name]
    rows = [
        (f"  {each}", texts[each], sparkline([point["value"] for point in curves.get(each, ())]))
        for each in names
    ]
    _print_lines(title, table(("", "", ""), rows)[1:])


def _changes(jobs: WorkspaceJobs, job: Row) -> list[str]:
    """Return in a few lines what differs from the job of the same target before this one."""
    before = jobs.before(job)
    if before is None:
        return []
    try:
        *_, found = compared_pair((jobs, before), (jobs, job), with_code=False)
    except OutsideError as error:
        print_warning(f"what differs from {before} is left out: {error.where}: {error.what}")
        return []
    lines = ["", f"{bold(f'compared with {before}')}, the job of this target before it"]
    # Code often logs its inputs as parameters.
    inputs = {change.name for change in found["inputs"]}
    found["parameters"] = [each for each in found["parameters"] if each.name not in inputs]
    for part, changes in found.items():
        if changes:
            texts = [change_text(part, change) for change in changes[:_MOST_CHANGES]]
            more = len(changes) - _MOST_CHANGES
            lines.append(f"  {part:<10}  {', '.join(texts)}" + (f", … {more} more" * (more > 0)))
    return [*lines, f"  in full     ./pants run :aml -- jobs diff {before} {job['name']}"]


def _print_lines(title: str, lines: Sequence[str]) -> None:
    """Print a part of the report, which is nothing without lines."""
    if lines:
        print()
        print_part(title, *lines)


def _print_values(title: str, values: Mapping[str, str]) -> None:
    shown = {key: text for key, text in values.items() if text}
    width = max(map(len, shown), default=0)
    indented = {key: text.replace("\n", f"\n{'':{width + 4}}") for key, text in shown.items()}
    _print_lines(title, [f"  {key:<{width}}  {text}" for key, text in indented.items()])


def _print_artifacts(paths: Sequence[str]) -> None:
    more = len(paths) - _MOST_ARTIFACTS
    left_out = [f"  … {more} more"] if more > 0 else []
    _print_lines("artifacts", [*(f"  {path}" for path in paths[:_MOST_ARTIFACTS]), *left_out])


def _details(job: Mapping[str, Any]) -> dict[str, str]:
    return {
        "experiment": job["experiment_name"],
        "display name": job["display_name"],
        "target": job["address"],
        "part of": job["parent"],
        "outputs of": job["reused"],
        "best trial": job.get("best_trial", ""),
        "created": time_text(job["created"]),
        "used": usage_text(job.get("usage", {})),
        "command": job["command"].strip(),
        "log": short_path(job["log"]) if job["log"] else "",
        "folder": short_path(job["folder"]) if "folder" in job else "",
        "studio": job.get("studio", ""),
    }
