"""The MLflow run of a local job: what is known of the job is in it, next to what code logs."""

from __future__ import annotations

from azureml_jobs.jobfile.sweep.space import value_text
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.mlflow_store import MlflowStore
from azureml_jobs.local.record import JobRecord


def start_run(folder: JobFolder, record: JobRecord) -> str:
    """Create the run that the job's command resumes; return its experiment's id."""
    store = MlflowStore(folder.mlruns)
    experiment_id = store.ensure_experiment(record.experiment_name)
    store.create_run(
        experiment_id,
        record.name,
        record.display_name or record.name,
        _tags(folder, record),
        record.started or record.created,
    )
    return experiment_id


def end_run(folder: JobFolder, record: JobRecord) -> None:
    """Give the run the status of its job, and the values of a trial that code did not log.

    MLflow refuses another text for a value that is there: before, it could be that of the code.
    """
    parameters = {name: value_text(value) for name, value in record.parameters.items()}
    store = MlflowStore(folder.mlruns)
    store.finish_run(record.name, record.status, record.ended or record.created, parameters)


def _tags(folder: JobFolder, record: JobRecord) -> dict[str, str]:
    known = {"address": record.address, "snapshot": record.snapshot}
    tags = {**record.tags, "mlflow.source.name": record.address or record.name}
    git = folder.manifest(record).get("git") or {}
    if git.get("commit"):
        known |= {"commit": git["commit"], "dirty": str(bool(git.get("is_dirty"))).lower()}
        tags["mlflow.source.git.commit"] = git["commit"]
    if record.parent:
        tags |= {"mlflow.parentRunId": record.parent, "mlflow.rootRunId": record.root}
    # Of the same names as the properties of a job in Azure.
    return tags | {f"azureml_jobs.{key}": value for key, value in known.items() if value}
