"""Create sweeps and their trials in the local workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from azureml_jobs.base.files import write_file
from azureml_jobs.jobfile.sweep.read import read_sweep
from azureml_jobs.jobfile.sweep.space import Value
from azureml_jobs.local.create_command import CommandSpec, Place, create_command, described
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import ResolvedInput
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_plan import UnitRun
from azureml_jobs.local.workspace import LocalWorkspace

# The keys of a trial that a command has, too.
_OF_TRIAL = ("command", "environment_variables", "distribution")


def create_sweep(workspace: LocalWorkspace, spec: CommandSpec, name: str) -> JobFolder:
    """Create the sweep `name`, whose node is the `job` of `spec`, ready to be executed."""
    return workspace.new_job(name, lambda temporary, _: sweep_record(spec, temporary), name)


def sweep_record(spec: CommandSpec, folder: JobFolder) -> JobRecord:
    """Return the record of a sweep, and write into `folder` what its trials need."""
    # YAML has dates, which commands get as text.
    text = json.dumps(asdict(spec), indent=1, ensure_ascii=False, default=str)
    write_file(folder.sweep, text + "\n")
    return JobRecord(
        **described(spec.job),
        name=folder.name,
        kind="sweep",
        experiment_name=spec.experiment_name,
        address=spec.address,
        parent=spec.place.parent,
        root=spec.place.root,
        step=spec.place.step,
        command=spec.job["trial"]["command"],
        code="",
        reuse_key=spec.reuse_key,
        runtime=spec.unit.runtime.name,
        snapshot=spec.unit.snapshot,
        inputs={name: given.as_data() for name, given in spec.inputs.items()},
        objective=dict(spec.job["objective"]),
    )


def read_spec(folder: JobFolder) -> CommandSpec:
    """Return what `sweep_record` wrote."""
    data = json.loads(folder.sweep.read_text(encoding="utf-8", errors="surrogateescape"))
    return CommandSpec(
        **{
            **data,
            "unit": UnitRun.of_data(data["unit"]),
            "inputs": {name: ResolvedInput(**given) for name, given in data["inputs"].items()},
            "arguments": tuple(data["arguments"]),
            "place": Place(**data["place"]),
        }
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
    return create_command(workspace, trial, place.name)
