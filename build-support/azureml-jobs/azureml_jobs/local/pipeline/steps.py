"""Make the job folder of a step when its inputs are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from azureml_jobs.base.typed_json import from_data
from azureml_jobs.jobfile.pipeline.model import Step
from azureml_jobs.local.create_command import CommandSpec, command_record, described, sweep_record
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.pipeline.branch import StepRun
from azureml_jobs.local.pipeline.inputs import Given, component_of
from azureml_jobs.local.pipeline.reuse import has_its_outputs, reuse_key, reusing
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.registry import LocalRegistry
from azureml_jobs.local.run_plan import RunPlan, UnitRun
from azureml_jobs.local.workspace import LocalWorkspace


@dataclass(frozen=True)
class StepFolders:
    """Makes the job folders of a run's steps; `earlier` are those that may serve again, by key."""

    plan: RunPlan
    workspace: LocalWorkspace
    root: JobFolder
    earlier: Mapping[str, JobRecord]

    def create(self, run: StepRun, given: Mapping[str, Given]) -> JobFolder:
        """Create the job of a command or a sweep; it has ended if an earlier one serves again."""
        step, unit = run.step, self._unit(run.step)
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
            place=run.place,
            reuse_key=reuse_key(job, unit, identities),
        )
        earlier = self.earlier.get(spec.reuse_key)

        def write(temporary: JobFolder, final: JobFolder) -> JobRecord:
            if earlier is not None and has_its_outputs(earlier):
                return reusing(earlier, run.place)
            if step.kind == "sweep":
                limits = {**(step.node.get("limits") or {}), "max_concurrent_trials": run.at_once}
                limited = replace(spec, job={**job, "limits": limits})
                return sweep_record(limited, temporary, final.name)
            return command_record(spec, final)

        return self.workspace.new_job("", write, run.place.name)

    def create_other(self, run: StepRun, **known: Any) -> JobFolder:
        """Create the job of a step that is a pipeline, or that never starts."""
        record = JobRecord(
            run.place.name,
            **described(_node(run.step)),
            **asdict(run.place),
            **known,
            kind=run.step.kind,
            experiment_name=self.plan.experiment_name,
            address=self.plan.address,
        )
        return self.workspace.new_job("", lambda temporary, final: record, run.place.name)

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
