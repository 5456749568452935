"""Create sweeps and their trials in the local workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from azureml_jobs.base.typed_json import write_data
from azureml_jobs.jobfile.sweep.read import read_sweep
from azureml_jobs.jobfile.sweep.space import Value
from azureml_jobs.local.create_command import CommandSpec, Place, command_record, record_of
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.workspace import LocalWorkspace

# The keys of a trial that a command has, too.
_OF_TRIAL = ("command", "environment_variables", "distribution")


def sweep_record(spec: CommandSpec, temporary: JobFolder, name: str) -> JobRecord:
    """Return the record of the sweep `name`, and write what its trials need into its folder."""
    write_data(temporary.sweep, spec)
    return record_of(
        spec,
        name,
        kind="sweep",
        command=spec.job["trial"]["command"],
        code="",
        objective=dict(spec.job["objective"]),
    )


def create_trial(
    workspace: LocalWorkspace,
    spec: CommandSpec,
    sweep: JobRecord,
    number: int,
    values: Mapping[str, Value],
) -> JobFolder:
    """Create the trial of this number of a sweep, by Azure ML's name for it."""
    node, place = spec.job, Place.below(sweep, str(number))
    job: dict[str, Any] = {key: node["trial"].get(key) for key in _OF_TRIAL}
    job["resources"] = {**(node["trial"].get("resources") or {}), **(node.get("resources") or {})}
    job["outputs"] = node.get("outputs")
    job["limits"] = {"timeout": read_sweep(node, spec.where).trial_timeout}
    # As tags of Azure ML's trials have them.
    job["tags"] = {"hyperparameters": json.dumps(values)}
    trial = replace(
        spec,
        job=job,
        # A trial stands next to the job that has the code.
        code=str(Path("..", place.root, spec.unit.code)) if spec.unit.code else "",
        reuse_key="",
        place=place,
        parameters=values,
    )
    return workspace.new_job("", lambda _, final: command_record(trial, final), place.name)
