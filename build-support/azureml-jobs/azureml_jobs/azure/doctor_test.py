"""What `doctor` says of each thing that may be wrong: one line, with what to do."""

from __future__ import annotations

import re

import pytest
from azureml_jobs.azure.conftest import Client


@pytest.fixture(autouse=True)
def impatient(client: Client) -> None:
    client.set(AZUREML_JOBS_PATIENCE="0.3")


def examined(client: Client, *arguments: str) -> tuple[int, dict[str, str]]:
    """The status, and the lines by their names: mark and text."""
    status = client.run_aml("doctor", *arguments)
    lines: dict[str, str] = {}
    for line in client.printed().out.splitlines():
        match = re.fullmatch(r"(ok|note|failed) +(\S+(?: again)?) +(.+)", line)
        assert match, f"more than one line for a check: {line}"
        lines[match[2]] = f"{match[1]} {match[3]}"
    return status, lines


def test_reports_what_works_and_what_does_not(client: Client) -> None:
    status, lines = examined(client)
    checks = ["configuration", "sign-in", "workspace", "compute", "storage", "registry", "versions"]
    assert (status, list(lines)) == (0, checks)
    assert lines["sign-in"] == "ok by Azure CLI"
    client.set(WORKSPACE="other")
    status, lines = examined(client)
    assert (status, list(lines)) == (1, ["configuration", "sign-in", "workspace", "versions"])
    expected = "failed environment variables: there is no workspace other in standin-group. Check"
    assert lines["workspace"].startswith(expected)
    client.add_program("az", "echo 'ERROR: Please run az login.' >&2; exit 1")
    status, lines = examined(client)
    assert (status, list(lines)) == (1, ["configuration", "sign-in", "versions"])
    expected = "failed Azure: could not sign in. What was tried, in this order: the environment: "
    assert lines["sign-in"].startswith(expected)


def test_reports_what_failed_before_another_credential_worked(client: Client) -> None:
    client.add_program("az", "echo 'ERROR: AADSTS700082: The token has expired.' >&2; exit 1")
    client.add_program("azd")
    status, lines = examined(client)
    assert status == 0
    assert lines["sign-in"].startswith(
        "ok by Azure Developer CLI; signing in by Azure CLI failed: AADSTS700082"
    )


WORKSPACE = r"^/[^?]*/workspaces/standin-workspace\?"
ROLE = "Your account is missing a role for this: docs/azure.md names the roles."
DOWN = "the service answered 503"


@pytest.mark.parametrize(
    ("fault", "status", "check", "expected"),
    [
        pytest.param(WORKSPACE, 403, "workspace", ROLE, id="no role on the workspace"),
        pytest.param(WORKSPACE, 503, "workspace", DOWN, id="the workspace does not answer"),
        pytest.param("/computes", 403, "compute", ROLE, id="computes"),
        pytest.param("/datastores/", 404, "storage", "no such datastore", id="no datastore"),
        pytest.param("comp=list", 403, "storage", ROLE, id="no rights"),
        pytest.param("comp=list", 503, "storage", DOWN, id="storage down"),
    ],
)
def test_each_failure_is_one_line_with_what_to_do(
    client: Client, fault: str, status: int, check: str, expected: str
) -> None:
    client.add_fault("status", "GET", fault, times=None, status=status)
    code, lines = examined(client)
    assert code == 1
    assert lines[check].startswith("failed ") and expected in lines[check]
    # What does not depend on it is looked at all the same.
    others = {"workspace", "compute", "storage", "registry"} - {check}
    assert set(lines) >= (set() if check == "workspace" else others)
    assert [name for name, line in lines.items() if line.startswith("failed")] == [check]
    assert lines["versions"].startswith("ok azure-ai-ml ")


def test_a_workspace_without_computes_is_no_failure(client: Client) -> None:
    client.monkeypatch.setattr(client.service.control, "computes", ())
    status, lines = examined(client)
    assert status == 0
    assert lines["compute"] == (
        "note the workspace has none. Make a cluster in the studio, below Compute, or submit "
        "without `compute:` to serverless compute"
    )


def test_a_machine_without_a_workspace_says_where_jobs_run(client: Client) -> None:
    for name in client.service.client.workspace():
        client.environment.pop(name)
        client.monkeypatch.delenv(name)
    status, lines = examined(client)
    assert (status, list(lines)) == (0, ["configuration", "versions"])
    assert lines["configuration"] == "ok config.env names no workspace: jobs run on this machine"


DEEP = ("code", "code again", "data", "job", "job again", "log", "times", "artifacts", "outputs")


def test_a_deep_check_runs_a_job_and_reads_all_of_it(client_with_jobs: Client) -> None:
    client = client_with_jobs
    # What nobody promises is met by a second way.
    client.add_fault("status", "POST", "/batchrundata", times=None, status=404)
    client.add_fault("status", "POST", "/listSecrets", status=400)
    status, lines = examined(client, "--deep")
    assert status == 0, lines
    assert [*lines][-10:] == [*DEEP, "archive"]
    assert lines["code again"] == "ok found by its content"
    assert lines["outputs"].startswith("ok made.txt has ")


def test_a_deep_check_ends_at_the_first_thing_that_fails(client: Client) -> None:
    client.add_fault("status", "PUT", "/codes/", times=None, status=403)
    status, lines = examined(client, "--deep", "--compute", "cpu-cluster")
    assert status == 1 and [*lines][-1] == "code"
    assert "docs/azure.md names the roles." in lines["code"]
    assert client.jobs() == []
