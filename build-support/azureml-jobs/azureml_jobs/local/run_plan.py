"""All that a process after Pants needs to start the jobs inside of a job: `run.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from azureml_jobs.local.inputs import ResolvedInput
from azureml_jobs.local.runtimes import Runtime


@dataclass(frozen=True)
class UnitRun:
    """How the command of a code unit runs here.

    code: the folder of its code, relative to the folder of the root job; empty for none.
    unused_modules: as in `UnitFiles`.
    snapshot, environment: what identifies them. An environment that is not in files is identified
        by what the job file says.
    python: the prefix of its virtual environment; empty with an image.
    """

    runtime: Runtime
    python: str
    snapshot: str
    environment: str
    code: str
    unused_modules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunPlan:
    """A job that starts others.

    job_file, documents: the job and the files that it refers to, by their paths in `repository`.
    units: by the names of code units.
    data: of the inputs of a pipeline and its steps, by where each stands.
    run_arguments: of `docker run`.
    jobs_at_once: how many commands may run at a time.
    no_cache: whether every step runs, whatever an earlier one has left.
    seed: what sweeps sample with that have no seed of their own.
    search_python: the prefix of the virtual environment that has Optuna, for sweeps.
    """

    address: str
    job_file: str
    experiment_name: str
    repository: str
    documents: Mapping[str, Mapping[str, Any]]
    units: Mapping[str, UnitRun]
    data: Mapping[str, ResolvedInput] = field(default_factory=dict)
    run_arguments: tuple[str, ...] = ()
    jobs_at_once: int = 1
    no_cache: bool = False
    seed: int | None = None
    search_python: str = ""

    def unit(self, code_unit: str | None, environment_unit: str | None) -> UnitRun:
        """Return how the code of one unit runs in the environment of another.

        Raises `KeyError` for a unit that is not of this job.
        """
        code = self.units[code_unit or ""]
        environment = self.units[environment_unit] if environment_unit is not None else code
        return replace(environment, snapshot=code.snapshot, code=code.code)

    def runtimes(self) -> str:
        """Return a line for each runtime, with the units that have it where they differ."""
        units: dict[str, list[str]] = {}
        for name, unit in self.units.items():
            units.setdefault(str(unit.runtime), []).append(name)
        if len(units) == 1:
            return next(iter(units))
        return "\n".join(
            runtime.replace("Runtime", f"Runtime of {', '.join(names)}", 1)
            for runtime, names in units.items()
        )
