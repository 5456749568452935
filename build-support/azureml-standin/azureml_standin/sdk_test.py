"""Test azure-ai-ml against the stand-in: submit, stream, download, cancel, list, and data."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import load_job
from azure.ai.ml._restclient.runhistory.models import QueryParams
from azure.ai.ml.entities import Data, Environment
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azureml_standin.conftest import wait_for_end
from azureml_standin.http import faults
from azureml_standin.service import Service, running_service

NEWEST = "CreatedUtc desc"


def job_named(folder: Path, name: str, **changes: str) -> Any:
    job = load_job(folder / "job.yaml")
    job.name = name
    for key, value in changes.items():
        setattr(job, key, value)
    return job


def files_below(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_submits_streams_and_downloads_a_job(
    service: Service, sdk: Any, job_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    returned = sdk.jobs.create_or_update(job_named(job_folder, "whole"))
    assert returned.studio_url.startswith(f"{service.url}/runs/whole?wsid=/subscriptions/")
    sdk.jobs.stream("whole")
    printed = capsys.readouterr().out
    assert "started\nepochs 3 ä\n" in printed
    shown = sdk.jobs.get("whole")
    assert (shown.status, shown.experiment_name) == ("Completed", "exp")
    sdk.jobs.download("whole", download_path=job_folder / "got", all=True)
    assert files_below(job_folder / "got") == {
        "artifacts/user_logs/std_log.txt": "started\nepochs 3 ä\n",
        "artifacts/outputs/model.txt": "model",
        "named-outputs/result/result.txt": "result",
    }
    sdk.jobs.download("whole", download_path=job_folder / "one", output_name="result")
    assert files_below(job_folder / "one") == {"named-outputs/result/result.txt": "result"}


def test_uploads_nothing_twice(service: Service, sdk: Any, job_folder: Path) -> None:
    (job_folder / "code/new.py").write_text("", encoding="utf-8")
    sdk.jobs.create_or_update(job_named(job_folder, "first"))
    service.recording.clear()
    sdk.jobs.create_or_update(job_named(job_folder, "second"))
    assert service.recording.find("PUT", kind="blob") == []
    codes = {service.jobs.stored(name)["properties"]["codeId"] for name in ("first", "second")}
    assert len(codes) == 1


def test_run_history_filters_the_runs_of_an_experiment(
    service: Service, sdk: Any, job_folder: Path
) -> None:
    for name in ("older", "newer"):
        sdk.jobs.create_or_update(job_named(job_folder, name, experiment_name="filtered"))
        wait_for_end(service, name)
    runs, workspace = sdk.jobs._runs_operations, service.control.workspace
    place = (workspace.subscription, workspace.group, workspace.name, "filtered")

    def found(condition: str) -> list[str]:
        query = QueryParams(filter=f"(ParentRunId eq null) and {condition}", order_by=NEWEST)
        listed = runs._operation.get_by_query_by_experiment_name(*place, body=query)
        return [run.run_id for run in listed.value]

    assert found("(Status eq Completed)") == ["newer", "older"]
    assert found("(Status eq Failed)") == []
    sdk.jobs.archive("newer")
    assert found("(Hidden eq false)") == ["older"]
    sdk.jobs.restore("newer")
    with pytest.raises(HttpResponseError, match="is not valid"):
        found("Status is Completed")


def test_a_failed_job_reports_its_exit_status(service: Service, sdk: Any, job_folder: Path) -> None:
    sdk.jobs.create_or_update(job_named(job_folder, "failing", command="echo no; exit 7"))
    wait_for_end(service, "failing")
    assert sdk.jobs.get("failing").status == "Failed"
    with pytest.raises(Exception, match="exited with status code 7"):
        sdk.jobs.stream("failing")


def test_a_running_job_has_its_log_and_can_be_canceled(
    service: Service, sdk: Any, job_folder: Path
) -> None:
    command = "echo started; sleep 100"
    sdk.jobs.create_or_update(job_named(job_folder, "long", command=command))
    log = "ExperimentRun/dcid.long/user_logs/std_log.txt"
    while (blob := service.blobs.blob("azureml", log)) is None or blob.size < 8:
        assert not service.execution.view("long").has_ended
    assert (blob.file.read_text(), blob.kind, blob.md5) == ("started\n", "AppendBlob", "")
    assert sdk.jobs.get("long").status == "Running"
    sdk.jobs.begin_cancel("long").result()
    assert sdk.jobs.get("long").status == "Canceled"


def test_lists_archived_jobs_only_on_request(service: Service, sdk: Any, job_folder: Path) -> None:
    from azure.ai.ml.constants import ListViewType

    sdk.jobs.create_or_update(job_named(job_folder, "old", command="echo old"))
    sdk.jobs.archive("old")
    assert "old" not in [job.name for job in sdk.jobs.list()]
    archived = sdk.jobs.list(list_view_type=ListViewType.ARCHIVED_ONLY)
    assert [job.name for job in archived] == ["old"]
    sdk.jobs.restore("old")
    assert "old" in [job.name for job in sdk.jobs.list()]


def test_a_job_reads_registered_data(service: Service, sdk: Any, job_folder: Path) -> None:
    (job_folder / "table").mkdir()
    (job_folder / "table/a.csv").write_text("x,y\n", encoding="utf-8")
    table = str(job_folder / "table")
    sdk.data.create_or_update(Data(name="table", version="1", type="uri_folder", path=table))
    sdk.environments.create_or_update(Environment(name="env", version="1", image="python"))
    (job_folder / "job.yaml").write_text(
        "command: cat ${{inputs.folder}}/a.csv ${{inputs.file}} > outputs/both\n"
        "inputs:\n"
        "  folder: {type: uri_folder, path: 'azureml:table:1'}\n"
        "  file: {type: uri_file, path: table/a.csv}\n"
        "environment: azureml:env:1\n"
        "compute: azureml:cpu-cluster\n",
        encoding="utf-8",
    )
    sdk.jobs.create_or_update(job_named(job_folder, "reads"))
    assert wait_for_end(service, "reads") == "Completed"
    both = service.blobs.blob("azureml", "ExperimentRun/dcid.reads/outputs/both")
    assert both is not None and both.file.read_text() == "x,y\nx,y\n"


def test_a_lost_response_makes_no_second_job(service: Service, sdk: Any, job_folder: Path) -> None:
    rule = service.faults.add(faults.RESET_AFTER, "PUT", "/jobs/lost")
    sdk.jobs.create_or_update(job_named(job_folder, "lost", command="echo lost"))
    assert rule.hits == 1
    assert service.jobs.names().count("lost") == 1
    assert [each.status for each in service.recording.find("PUT", "/jobs/lost")] == [None, 200]


def test_errors_reach_the_user_of_the_sdk(sdk: Any, job_folder: Path) -> None:
    with pytest.raises(HttpResponseError, match="Unknown compute target"):
        sdk.jobs.create_or_update(job_named(job_folder, "nowhere", compute="none"))
    with pytest.raises(ResourceNotFoundError):
        sdk.jobs.get("nowhere")


# In its own process, because the SDK keeps the first cloud that it finds.
BY_PROXY = """
import json, logging, sys
logging.disable(logging.CRITICAL)
from azure.ai.ml import MLClient, load_job
from azure.identity import EnvironmentCredential
cloud, authority, file, *workspace = sys.argv[1:]
client = MLClient(EnvironmentCredential(authority=authority), *workspace, cloud=cloud)
job = load_job(file)
job.name = "far"
client.jobs.create_or_update(job)
client.jobs.stream("far")
datastore = client.datastores.get_default()
print(json.dumps([datastore.account_name, client.jobs.get("far").status]))
"""


def test_answers_for_the_public_cloud_under_its_real_names(job_folder: Path) -> None:
    authority = "login.microsoftonline.com"
    with running_service() as service:
        workspace = service.workspace
        arguments = (workspace.subscription, workspace.group, workspace.name)
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                BY_PROXY,
                "AzureCloud",
                authority,
                job_folder / "job.yaml",
                *arguments,
            ],
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": ":".join(sys.path),
                **service.client.by_proxy(),
            },
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout.splitlines()[-1]) == ["standin", "Completed"]
        hosts = {each.host for each in service.recording.requests}
        assert {"standin.blob.core.windows.net", authority} <= hosts
        assert service.failures == []
