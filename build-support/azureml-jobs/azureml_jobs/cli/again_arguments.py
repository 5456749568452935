"""The arguments of a run that does again what the manifest of an earlier one says."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from azureml_jobs.bundle.manifest import units_of
from azureml_jobs.bundle.same import is_of_one_run

Manifest = Mapping[str, Any]
# The guard records lines, and is asked to let files pass.
_LINE = re.compile(r":\d+$")


def settings_of_then(manifest: Manifest) -> list[str]:
    """Return what makes the job file of then the job: its overrides."""
    return _set(each for each in manifest["overrides"] if not is_of_one_run(each))


def settings_of_now(manifest: Manifest) -> list[str]:
    """Return what gives a job file of today the inputs and overrides of then."""
    overrides = (each for each in manifest["overrides"] if not each.startswith("inputs."))
    documents = {each["path"]: each["content"] for each in manifest["documents"]}
    inputs = _inputs(documents[manifest["job_file"]].get("inputs") or {})
    return _set((*(each for each in overrides if not is_of_one_run(each)), *inputs))


def _inputs(inputs: Mapping[str, Any]) -> Iterator[str]:
    for name, value in inputs.items():
        key = "inputs." + str(name).replace(".", "\\.")
        parts = value if isinstance(value, Mapping) else {"": value}
        for part in ("", "value", "path"):
            if parts.get(part) is not None:
                yield f"{key}.{part}".rstrip(".") + f"={parts[part]}"


def _set(settings: Iterable[str]) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


def place_of(
    manifest: Manifest, was_here: bool, runs_here: bool, options: argparse.Namespace
) -> list[str]:
    """Return where and how the job runs, and what the guard lets pass again."""
    made = manifest["made"] or {}
    arguments = []
    if runs_here:
        # Steps that completed before must not stand for those of this job.
        arguments += ["--local", "--no-cache"]
        if was_here and not any(unit["image"] for unit in units_of(manifest)):
            arguments += ["--runtime", "venv"]
        if made.get("seed") is not None:
            arguments += ["--seed", str(made["seed"])]
    else:
        arguments += ["--profile", options.profile] if options.profile else []
        arguments += ["--login"] if options.login else []
        if manifest["kind"] == "pipeline job":
            arguments += _set(["settings.force_rerun=true"])
        if "--image" in shlex.split(made.get("command_line") or ""):
            arguments.append("--image")
    places = dict.fromkeys(_LINE.sub("", each["where"]) for each in manifest["allowed"])
    return arguments + [part for where in places for part in ("--allow", where)]
