"""Test each kind of fault, and whether the request has its effect."""

from __future__ import annotations

import http.client
from typing import Any

import pytest
from azureml_standin.conftest import Caller, wait_for_end
from azureml_standin.http import faults

# What a client raises depends on whether it reads or writes, and on TLS.
CONNECTION_ERRORS = (OSError, http.client.HTTPException)


def forget(caller: Caller) -> None:
    wait_for_end(caller.service, "one")
    assert caller.arm("DELETE", "/jobs/one").status == 200


def put(caller: Caller) -> Any:
    return caller.arm("PUT", "/jobs/one", caller.command_job(tags={"padding": "x" * 2000}))


@pytest.mark.parametrize(
    ("kind", "is_made"),
    [
        pytest.param(faults.RESET_BEFORE, False, id="before"),
        pytest.param(faults.RESET_AMID, False, id="amid"),
        pytest.param(faults.RESET_AFTER, True, id="after acceptance"),
    ],
)
def test_resets_a_connection(caller: Caller, kind: str, is_made: bool) -> None:
    rule = caller.service.faults.add(kind, method="PUT", path="/jobs/one")
    with pytest.raises(CONNECTION_ERRORS):
        put(caller)
    assert rule.hits == 1
    assert ("one" in caller.service.jobs.names()) is is_made
    (met,) = caller.service.recording.find("PUT", "/jobs/one")
    assert (met.fault, met.status, met.was_handled) == (kind, None, is_made)
    # The rule hits once.
    assert put(caller).status == (200 if is_made else 201)
    forget(caller)


def test_resets_a_request_without_body_in_its_response(caller: Caller) -> None:
    caller.service.faults.add(faults.RESET_AMID, path="/discovery")
    with pytest.raises(CONNECTION_ERRORS):
        caller.request("GET", "/discovery")


def test_truncates_a_response(caller: Caller) -> None:
    caller.service.faults.add(faults.TRUNCATED, path="/discovery")
    with pytest.raises(http.client.IncompleteRead):
        caller.request("GET", "/discovery")
    assert caller.request("GET", "/discovery").status == 200


def test_delays_a_response(caller: Caller) -> None:
    caller.service.faults.add(faults.SLOW, path="/discovery", seconds=0.2)
    assert caller.request("GET", "/discovery").status == 200
    assert caller.service.recording.find(path="/discovery")[0].seconds >= 0.2


def test_responds_with_a_status_without_the_effect(caller: Caller) -> None:
    caller.service.faults.add(faults.STATUS, path="/jobs/one", status=429, retry_after=7)
    answer = put(caller)
    assert (answer.status, answer.code) == (429, "TooManyRequests")
    assert answer.headers["retry-after"] == "7"
    assert "one" not in caller.service.jobs.names()


def test_responds_with_a_status_after_the_effect(caller: Caller) -> None:
    caller.service.faults.add(faults.STATUS_AFTER, path="/jobs/one", status=500)
    assert put(caller).status == 500
    assert "one" in caller.service.jobs.names()
    forget(caller)


def test_reports_an_expired_token_as_azure_does(caller: Caller) -> None:
    caller.service.faults.add(faults.EXPIRED_TOKEN, path="/jobs/one")
    answer = put(caller)
    assert (answer.status, answer.code) == (401, "ExpiredAuthenticationToken")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_reports_a_fault_of_a_blob_in_the_format_of_storage(caller: Caller) -> None:
    caller.service.faults.add(faults.STATUS, path="/standin.blob", status=503)
    answer = caller.request("GET", "/standin.blob.core.azure.standin/azureml/x")
    assert answer.status == 503 and answer.headers["x-ms-error-code"] == "ServerBusy"
    assert b"<Code>ServerBusy</Code>" in answer.body


def test_skips_and_counts_requests(caller: Caller) -> None:
    rule = caller.service.faults.add(faults.STATUS, "GET", "/discovery", skip=1, times=2)
    met = [caller.request("GET", "/discovery").status for _ in range(5)]
    assert met == [200, 503, 503, 200, 200]
    assert (rule.seen, rule.hits) == (5, 2)


def test_records_no_secrets(caller: Caller) -> None:
    caller.put_code()
    text = repr(caller.service.recording.requests)
    assert "x-ms-blob-type" in text
    assert "Bearer" not in text and "sig=" not in text and "'sig'" not in text


def test_hits_only_requests_that_have_a_header(caller: Caller) -> None:
    rule = caller.service.faults.add(faults.STATUS, path="/discovery", header="x-chosen")
    assert caller.request("GET", "/discovery").status == 200
    assert caller.request("GET", "/discovery", headers={"X-Chosen": "1"}).status == 503
    assert rule.hits == 1
