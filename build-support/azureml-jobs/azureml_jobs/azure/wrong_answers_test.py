"""Commands that read, on a network that answers with its own page: no traceback, and no page."""

from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.azure.conftest import Client, faults

JOB = "read"


@pytest.fixture
def client(client_with_jobs: Client) -> Client:
    client = client_with_jobs
    if JOB not in client.service.jobs.names():
        client.start(JOB, "mkdir -p outputs; echo made > outputs/a.txt; echo printed")
    client.wait_for_end(JOB)
    client.monkeypatch.setattr("azureml_jobs.azure.connection._MOST_WRONG_ANSWERS", 0)
    return client


@pytest.mark.parametrize(
    ("request_of", "command", "status"),
    [
        pytest.param(("GET", r"/jobs\?"), ["jobs", "list"], 1, id="the list"),
        pytest.param(("POST", "/batchrundata"), ["jobs", "list"], 0, id="the times"),
        pytest.param(("GET", f"/jobs/{JOB}"), ["jobs", "show", JOB], 1, id="the job"),
        pytest.param(("GET", "/mlflow/"), ["jobs", "show", JOB], 0, id="the metrics"),
        pytest.param(("GET", "/details"), ["jobs", "stream", JOB], 1, id="the run"),
        pytest.param(("GET", "user_logs/"), ["jobs", "stream", JOB], 1, id="the log"),
        pytest.param(("GET", "comp=list"), ["jobs", "download", JOB], 1, id="the list of files"),
        pytest.param(("GET", r"outputs/a\.txt"), ["jobs", "download", JOB], 1, id="a file"),
        pytest.param(("GET", r"/data\?"), ["data", "list"], 1, id="the assets"),
        pytest.param(("POST", "/cancel"), ["jobs", "cancel", "waiting"], 1, id="a cancellation"),
        pytest.param(("PATCH", "/runs/"), ["jobs", "archive", JOB], 1, id="an archiving"),
        pytest.param(("GET", "/computes"), ["doctor"], 1, id="a check"),
    ],
)
def test_a_page_is_never_taken_for_an_answer(
    client: Client, request_of: tuple[str, str], command: list[str], status: int
) -> None:
    if "waiting" in command:
        client.start("waiting", "sleep 60")
    client.printed()
    rule = client.add_fault(faults.PAGE, *request_of, times=None, status=200)
    assert client.run_aml(*command) == status
    printed = client.printed()
    assert rule.hits, printed
    assert "Traceback" not in printed.err and "<html" not in "".join(printed)
    assert "does not count: it is a page for people" in "".join(printed)
    if "download" in command:
        assert not Path(client.repository, ".azureml/downloads", JOB).exists()
    if "waiting" in command:
        client.service.faults.clear()
        assert client.run_aml(*command) == 0
