"""Make the job folder of a step when its inputs are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from azureml_jobs.base.job_status import now
from azureml_jobs.base.typed_json import from_data
from azureml_jobs.jobfile.pipeline.model import Step
from azureml_jobs.local.create_command import (
    CommandSpec,
    Place,
    command_record,
    described,
    sweep_record,
)
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.pipeline.inputs import Given, component_of
from azureml_jobs.local.pipeline.reuse import EarlierSteps, reuse_key, reusing
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.registry import LocalRegistry
from azureml_jobs.local.run_plan import RunPlan, UnitRun
from azureml_jobs.local.workspace import LocalWorkspace


@dataclass(frozen=True)
class StepFolders:
    """Makes the job folders of a run's steps; `earlier` is None when each step runs."""

    plan: RunPlan
    workspace: LocalWorkspace
    root: JobFolder
    earlier: EarlierSteps | None

    def create(
        self, step: Step, place: Place, given: Mapping[str, Given], at_once: int
    ) -> JobFolder:
        """Create the job of a command or a sweep; it has ended if an earlier one serves again.

        `at_once` is how many commands it may run at a time.
        """
        unit = self._unit(step)
        outputs = {
            name: {"type": each.type, "name": each.asset, "version": each.version}
            for name, each in step.outputs.items()
        }
        job = {**_node(step), "outputs": outputs}
        identities = {name: each.identity for name, each in given.items()}
        spec = CommandSpec(
            job=job,
            where=step.where,
            unit=unit,
            inputs={name: each.resolved for name, each in given.items()},
            experiment_name=self.plan.experiment_name,
            address=self.plan.address,
            code=str(Path("..", self.root.name, unit.code)) if unit.code else "",
            arguments=self.plan.run_arguments,
            place=place,
            reuse_key=reuse_key(job, unit, identities),
        )
        earlier = self.earlier.find(spec.reuse_key) if self.earlier else None

        def write(temporary: JobFolder, final: JobFolder) -> JobRecord:
            if earlier is not None:
                return reusing(earlier, place)
            if step.kind == "sweep":
                limits = {**(step.node.get("limits") or {}), "max_concurrent_trials": at_once}
                limited = replace(spec, job={**job, "limits": limits})
                return sweep_record(limited, temporary, final.name)
            return command_record(spec, final)

        return self.workspace.new_job("", write, place.name)

    def create_other(self, step: Step, place: Place, **known: Any) -> JobFolder:
        """Create the job of a step that is a pipeline, or that never starts."""
        record = JobRecord(
            place.name,
            **described(_node(step)),
            **asdict(place),
            **known,
            kind=step.kind,
            experiment_name=self.plan.experiment_name,
            address=self.plan.address,
        )
        return self.workspace.new_job("", lambda temporary, final: record, place.name)

    def create_ended(self, step: Step, place: Place, status: str, error: str) -> JobFolder:
        return self.create_other(step, place, status=status, error=error, ended=now())

    def _unit(self, step: Step) -> UnitRun:
        if not step.component:
            return self.plan.unit(step.code_unit, step.environment_unit)
        found = component_of(step, LocalRegistry(self.workspace.root))
        unit: UnitRun = from_data(UnitRun, found.meta["units"][""])
        code = Path(found.path, Path(unit.code).relative_to("bundle")) if unit.code else ""
        own = self.plan.units.get(step.environment_unit or "")
        return replace(own or unit, snapshot=unit.snapshot, code=str(code))


def _node(step: Step) -> dict[str, Any]:
    return {"display_name": step.name, **step.node}
