"""Create commands and sweeps in the local workspace: jobs, steps of a pipeline, and trials."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from azureml_jobs.base.typed_json import write_data
from azureml_jobs.docker.container import Container
from azureml_jobs.jobfile.expressions import render
from azureml_jobs.jobfile.sweep.read import read_sweep
from azureml_jobs.jobfile.sweep.space import Value, value_text
from azureml_jobs.local.distribution import distribution_of
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.inputs import ResolvedInput
from azureml_jobs.local.mounts import data_paths, job_container, output_paths, resource_arguments
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_plan import UnitRun
from azureml_jobs.local.state import LONGEST_NAME
from azureml_jobs.local.workspace import LocalWorkspace

# The keys of a trial that a command has, too.
_OF_TRIAL = ("command", "environment_variables", "distribution")


@dataclass(frozen=True)
class Place:
    """Where a job stands among those that one run starts, each field as in `JobRecord`."""

    parent: str = ""
    root: str = ""
    step: str = ""

    @classmethod
    def below(cls, parent: JobRecord, step: str) -> Place:
        """Return the place of the child `step` of a job."""
        return cls(parent.name, parent.root or parent.name, step)

    @property
    def name(self) -> str:
        """The name of a child; a long one ends in a digest."""
        name = f"{self.parent}_{self.step}"
        if len(name) <= LONGEST_NAME:
            return name
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        return f"{name[: LONGEST_NAME - 9]}-{digest}"


@dataclass(frozen=True)
class CommandSpec:
    """One command, or the trials of one sweep, with all that it gets.

    job: the job, step or trial, in the form of a job file.
    where: the file or key that has it, for messages.
    inputs: those that have a value; their paths exist.
    code: the folder of the code, relative to that of the job; empty for none.
    arguments: of `docker run`, in addition to those in `job`.
    parameters: the values that a sweep chose for a trial.
    reuse_key: what a later step must have in common to have the same outputs.
    """

    job: Mapping[str, Any]
    where: str
    unit: UnitRun
    inputs: Mapping[str, ResolvedInput]
    experiment_name: str
    address: str = ""
    code: str = JobRecord.code
    arguments: tuple[str, ...] = ()
    place: Place = Place()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reuse_key: str = ""


def command_record(spec: CommandSpec, folder: JobFolder) -> JobRecord:
    """Return the record of the command, whose job will be in `folder`."""
    job, unit, inputs = spec.job, spec.unit, spec.inputs
    outputs = output_paths(job, folder)
    paths = data_paths(folder, inputs, outputs, in_container=unit.runtime.image is not None)
    container: Container | None = None
    if unit.runtime.image:
        arguments = [*resource_arguments(job, spec.where), *spec.arguments]
        container = job_container(folder, unit.runtime, inputs, outputs, paths, arguments)
    parameters = {name: value_text(value) for name, value in spec.parameters.items()}
    values = {name: paths.get(f"inputs.{name}", given.value) for name, given in inputs.items()}
    command = render(
        job["command"],
        # A component that is a trial declares what the sweep chooses among its inputs.
        {**values, **parameters},
        {name: paths[f"outputs.{name}"] for name in outputs},
        paths=set(paths),
        search_space=parameters,
    )
    return _record_of(
        spec,
        folder.name,
        command=command,
        code=spec.code,
        distribution=distribution_of(job, spec.where),
        parameters=dict(spec.parameters),
        container=container,
        python=unit.python,
        unused_modules=dict(unit.unused_modules),
        outputs={name: str(path) for name, path in outputs.items()},
        paths=paths,
        environment_variables=_texts(job.get("environment_variables")),
    )


def sweep_record(spec: CommandSpec, temporary: JobFolder, name: str) -> JobRecord:
    """Return the record of the sweep `name`, and write what its trials need into its folder."""
    write_data(temporary.sweep, spec)
    return _record_of(
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


def _record_of(spec: CommandSpec, name: str, **known: Any) -> JobRecord:
    """Return the record of a command or a sweep, with what is `known` of it in addition."""
    return JobRecord(
        name,
        **described(spec.job),
        **asdict(spec.place),
        **known,
        experiment_name=spec.experiment_name,
        address=spec.address,
        reuse_key=spec.reuse_key,
        runtime=spec.unit.runtime.name,
        snapshot=spec.unit.snapshot,
        inputs={name: given.as_data() for name, given in spec.inputs.items()},
    )


def described(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a record that each kind of job has."""
    limits = job.get("limits")
    timeout = limits.get("timeout") if isinstance(limits, Mapping) else None
    return {
        "display_name": str(job.get("display_name") or ""),
        "description": str(job.get("description") or ""),
        "tags": _texts(job.get("tags")),
        "timeout": float(timeout) if timeout else None,
        "named_outputs": named_outputs(job),
    }


def named_outputs(job: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return `name`, `version` and `type` of the outputs that the job registers; "" for none."""
    return {
        str(output): {key: str(given.get(key) or "") for key in ("name", "version", "type")}
        for output, given in (job.get("outputs") or {}).items()
        if isinstance(given, Mapping) and given.get("name")
    }


def _texts(mapping: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(key): str(value) for key, value in (mapping or {}).items()}
