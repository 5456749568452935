"""Every request of a submission meets every fault."""

from __future__ import annotations

import time
from typing import Any

import pytest
from azureml_jobs.azure.conftest import Client, assert_one_whole_job, faults

# Method and path of each request that a first submission sends.
REQUESTS = {
    "metadata": ("GET", "/metadata/endpoints"),
    "is the job there": ("GET", "/jobs/"),
    "is the code there": ("GET", "/codes/"),
    "begin of an upload": ("POST", "/startPendingUpload"),
    "what is there of the code": ("GET", r"/standin-[0-9a-f-]+\?.*comp=list"),
    "a file of the code": ("PUT", r"/standin-[0-9a-f-]+/code/exp/main\.py"),
    "an empty file of the code": ("PUT", r"/standin-[0-9a-f-]+/code/exp/__init__\.py"),
    "the code": ("PUT", "/codes/"),
    "is the environment there": ("GET", "/environments/"),
    "the datastore": ("GET", "/datastores/workspaceblobstore"),
    "its secrets": ("POST", "/listSecrets"),
    "a file of the environment": ("PUT", "/LocalUpload/.*/environment/Dockerfile"),
    "the environment": ("PUT", "/environments/"),
    "what is there of the data": ("GET", "prefix=LocalUpload/.*/data/"),
    "a file of the data": ("PUT", "/LocalUpload/.*/data/a.csv"),
    "the job": ("PUT", "/jobs/"),
}
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "reset before": (faults.RESET_BEFORE, {}),
    "reset amid": (faults.RESET_AMID, {}),
    "answer lost": (faults.RESET_AFTER, {}),
    "slow": (faults.SLOW, {"seconds": 0.2}),
    "answer cut off": (faults.TRUNCATED, {}),
    "429": (faults.STATUS, {"status": 429, "retry_after": 0.05}),
    "500": (faults.STATUS, {"status": 500}),
    "503 after it was done": (faults.STATUS_AFTER, {"status": 503}),
    "expired token": (faults.EXPIRED_TOKEN, {}),
}
WITHOUT_TOKEN = {name for name, (_, path) in REQUESTS.items() if "LocalUpload" in path}
WITHOUT_TOKEN |= {"metadata", "what is there of the code", "a file of the code"}
WITHOUT_TOKEN |= {"an empty file of the code"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_passing_fault_costs_only_time(client: Client, request_of: str, fault: str) -> None:
    kind, settings = FAULTS[fault]
    if kind == faults.EXPIRED_TOKEN and request_of in WITHOUT_TOKEN:
        # These carry a signature, or nothing, in place of a token.
        kind, settings = faults.STATUS, {"status": 408}
    rule = client.add_fault(kind, *REQUESTS[request_of], **settings)
    status = client.submit()
    assert status == 0, client.printed().err
    assert rule.hits == 1
    assert_one_whole_job(client)


# What something else answers in the service's place, as a hotel's network or a proxy does.
WRONG_ANSWERS: dict[str, dict[str, Any]] = {
    "a page": {"body": "<html><body>Sign in</body></html>", "media_type": "text/html"},
    "a page by another name": {"body": "<html></html>", "media_type": "application/json"},
    "nothing": {"body": "", "media_type": "application/xml"},
    "another object": {"body": '{"status": "ok"}', "media_type": "application/json"},
    "half of it": {"body": '{"properties": {"blob', "media_type": "application/json"},
    "other XML": {"body": "<Error><Code>x</Code></Error>", "media_type": "application/xml"},
}

WITH_EVERY_ANSWER = ("the job", "its secrets", "what is there of the code")


@pytest.mark.parametrize(
    ("request_of", "answer"),
    [
        *((request, "a page") for request in REQUESTS),
        # One that azure-ai-ml reads, one of the resource manager, one of storage.
        *((request, answer) for request in WITH_EVERY_ANSWER for answer in [*WRONG_ANSWERS][1:]),
    ],
)
def test_an_answer_that_is_not_the_service_s_never_counts(
    client: Client, request_of: str, answer: str
) -> None:
    client.set(AZUREML_JOBS_PATIENCE="0.1")
    status, wrong = 201 if REQUESTS[request_of][0] == "PUT" else 200, WRONG_ANSWERS[answer]
    client.add_fault(faults.PAGE, *REQUESTS[request_of], times=None, status=status, **wrong)
    assert client.submit() == 1
    err = client.printed().err
    assert err.startswith("error: ") and "Traceback" not in err
    assert client.jobs() == []


LASTING: dict[str, tuple[str, dict[str, Any]]] = {
    "no connection": (faults.RESET_BEFORE, {}),
    "503": (faults.STATUS, {"status": 503}),
    "403": (faults.STATUS, {"status": 403}),
}


@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_lasting_fault_is_reported_soon_and_the_next_run_continues(
    client: Client, request_of: str, fault: str
) -> None:
    kind, settings = LASTING[fault]
    client.set(AZUREML_JOBS_PATIENCE="0.5")
    rule = client.add_fault(kind, *REQUESTS[request_of], times=None, **settings)
    begun = time.monotonic()
    status = client.submit()
    # A guard against hanging: it takes the patience and a little more.
    assert time.monotonic() - begun < 30
    err = client.printed().err
    # A submission does without what an account may not see.
    is_needed = settings.get("status") != 403 or request_of not in (
        *("what is there of the code", "what is there of the data", "its secrets"),
    )
    if status == 0:
        assert not is_needed
    else:
        assert status == 1 and err.startswith("error: ") and "Traceback" not in err
        assert client.jobs() == []
    assert rule.hits > 0
    client.service.faults.clear()
    client.set(AZUREML_JOBS_PATIENCE="5")
    if status:
        assert client.submit() == 0
    assert_one_whole_job(client)


def test_a_request_to_wait_longer_than_the_patience_is_an_error_at_once(client: Client) -> None:
    """azure-core and urllib3 would wait all that time, and report nothing before."""
    client.add_fault(faults.STATUS, "GET", "/jobs/", times=None, status=429, retry_after=600)
    assert client.submit() == 1
    assert "the service answered 429" in client.printed().err


def test_an_interrupted_upload_continues_where_it_ended(client: Client) -> None:
    for number in range(40):
        client.gathered.add(f"src/exp/m{number:02d}.py", f"{number}\n")
    # Enough for requests while the SDK is still being imported, after the first attempt failed.
    client.set(AZUREML_JOBS_PATIENCE="2")
    client.add_fault("status", "PUT", r"/code/exp/m39\.py", times=None, status=500)
    assert client.submit() == 1
    arrived = client.requests("PUT", r"/code/.*\.py", status=201)
    client.service.faults.clear()
    client.service.recording.clear()
    assert client.submit() == 0
    # What was under way when the first run ended may have arrived after it.
    again = client.requests("PUT", r"/code/.*\.py")
    assert 0 < len(again) <= 43 - len(arrived) < 43
    (job,) = client.jobs()
    assert len(client.snapshot(job)) == 43


def test_a_token_that_expires_is_renewed(client: Client) -> None:
    client.use(client.service.client.direct("secret"))
    client.add_fault(faults.EXPIRED_TOKEN, "PUT", "/jobs/")
    assert client.submit() == 0
    tokens = client.requests("POST", "/oauth2/v2.0/token")
    assert len(tokens) == 2
    assert_one_whole_job(client)
