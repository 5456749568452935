"""How files are sent: what each of them costs, how many at once, and how a failure ends."""

from __future__ import annotations

import time

import pytest
from azureml_jobs.azure.conftest import CODE_JOB, Client, faults
from azureml_jobs.azure.retries import PATIENCE_VARIABLE, patience_seconds
from azureml_jobs.azure.send_files import WORKERS

CONTAINER = r"/standin-[0-9a-f-]+"


def add_modules(client: Client, count: int) -> None:
    for number in range(count):
        client.gathered.add(f"src/exp/m{number:03d}.py", f"{number}\n")


def test_a_file_costs_one_request(client: Client) -> None:
    """azure-ai-ml asks before each whether it is there."""
    add_modules(client, 200)
    assert client.submit(CODE_JOB) == 0
    asked = [each.method for each in client.requests(path=CONTAINER, kind="blob")]
    # All of them are asked for at once.
    assert (asked.count("GET"), asked.count("PUT"), len(asked)) == (1, 203, 204)


def test_many_files_are_under_way_at_once_and_not_all(client: Client) -> None:
    add_modules(client, 3 * WORKERS)
    client.add_fault(faults.SLOW, "PUT", CONTAINER, times=None, seconds=0.5)
    assert client.submit(CODE_JOB) == 0
    moments = []
    for each in client.requests("PUT", CONTAINER):
        moments += [(each.started, 1), (each.started + each.seconds, -1)]
    under_way = most = 0
    for _, change in sorted(moments):
        under_way += change
        most = max(most, under_way)
    assert WORKERS // 2 <= most <= WORKERS


@pytest.mark.parametrize("status", [429, 500, 503])
def test_errors_of_storage_that_pass_cost_less_than_the_patience(
    client: Client, status: int
) -> None:
    """azure-ai-ml waits 18 seconds after the first of them."""
    client.set(**{PATIENCE_VARIABLE: "6"})
    rule = client.add_fault("status", "PUT", "/code/exp/main", times=3, status=status)
    assert client.submit(CODE_JOB) == 0
    assert rule.hits == 3
    assert len(client.requests("PUT", "/code/exp/main")) == 4


def test_an_upload_that_fails_names_its_file(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.set(**{PATIENCE_VARIABLE: "0.3"})
    client.add_fault("status", "PUT", "/code/exp/main", times=None, status=500)
    assert client.submit(CODE_JOB) == 1
    err = capsys.readouterr().err
    assert "code/exp/main.py: the file could not be sent: the service answered 500" in err
    assert "sig=" not in err
    client.monkeypatch.delenv(PATIENCE_VARIABLE)
    # A lasting error is reported after that time: azure-ai-ml would hang without progress.
    assert patience_seconds() < 60


def test_an_upload_that_hangs_names_its_file(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    add_modules(client, 40)
    client.set(**{PATIENCE_VARIABLE: "0.5"})
    client.add_fault(faults.SLOW, "PUT", r"/code/exp/m0[0-9]{2}\.py", times=None, seconds=60.0)
    begun = time.monotonic()
    assert client.submit(CODE_JOB) == 1
    # A guard against hanging.
    assert time.monotonic() - begun < 30
    err = capsys.readouterr().err
    assert "code/exp/m0" in err and "the file could not be sent" in err
