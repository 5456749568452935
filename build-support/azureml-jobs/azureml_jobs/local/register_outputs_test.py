"""A job that completed registers the outputs that have a name."""

from __future__ import annotations

from azureml_jobs.base.assets import MODELS
from azureml_jobs.local.conftest import Jobs
from azureml_jobs.local.create_command import named_outputs
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.registry import LocalRegistry

OUTPUTS = {
    "model": {"type": "mlflow_model", "name": "net", "version": 7},
    "table": {"type": "uri_folder", "name": "table"},
    "other": {"type": "uri_folder"},
    "none": None,
}


def new(jobs: Jobs, command: str) -> JobFolder:
    named = named_outputs({"outputs": OUTPUTS})
    folder = jobs.new(command, named_outputs=named)
    record = folder.read()
    record.outputs = {name: str(folder.outputs / name) for name in OUTPUTS}
    folder.save(record)
    return folder


def test_registers_outputs_with_a_name(jobs: Jobs) -> None:
    write = "cd ../outputs; mkdir -p model table; echo m > model/MLmodel; echo t > table/t"
    folder = new(jobs, write)
    status, out, _ = jobs.run(folder)
    assert status == 0
    assert f"{folder.name}: `model` registered as azureml:net:7\n" in out.decode()
    found = LocalRegistry(jobs.workspace.root).find(MODELS, "azureml:net:7")
    assert found is not None and (found.path / "MLmodel").read_text() == "m\n"
    assert found.meta["type"] == "mlflow_model"
    assert (jobs.repo / "data/table/1/t").read_text() == "t\n"
    # The same version again: the job has completed all the same.
    again = new(jobs, write)
    status, _, err = jobs.run(again)
    assert (status, again.read().status) == (0, "Completed")
    assert "`model` was not registered: azureml:net:7: this version exists" in err.decode()
    assert (jobs.repo / "data/table/2/t").exists()


def test_a_job_that_failed_registers_nothing(jobs: Jobs) -> None:
    assert jobs.run(new(jobs, "exit 3"))[0] == 3
    assert LocalRegistry(jobs.workspace.root).names(MODELS) == []
