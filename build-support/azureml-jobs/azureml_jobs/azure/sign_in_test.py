"""Signing in by azure-identity: over HTTPS to the stand-in, and by programs on the PATH."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from typing import Any

import pytest
from azureml_jobs.azure import credentials
from azureml_jobs.azure.clouds import find_cloud
from azureml_jobs.azure.conftest import Client
from azureml_jobs.azure.sign_in import SignIn, SignInFailed
from azureml_jobs.conftest import Tool


def sign_in(client: Client, login: bool = False) -> SignIn:
    config = client.config()
    return SignIn(find_cloud(config.cloud, config.cloud_source), login)


def scope(client: Client) -> str:
    return f"{client.service.url}/.default"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("secret", "the environment (client secret)"),
        ("certificate", "the environment (certificate)"),
        ("workload", "the environment (workload identity)"),
        ("github", "the environment (OIDC of GitHub Actions)"),
        ("pipelines", "the environment (OIDC of Azure Pipelines)"),
        ("machine", "a managed identity"),
        ("app-service", "a managed identity"),
    ],
)
def test_signs_in_without_a_person(client: Client, kind: str, name: str) -> None:
    client.use(client.service.client.direct(kind))
    client.add_program("azd")
    signed_in = sign_in(client)
    token = signed_in.token(scope(client))
    client.service.tokens.check_token(token, [client.service.url])
    assert (signed_in.credential_name, signed_in.warnings) == (name, [])
    # Programs that could sign in, too, come later.
    assert client.program_calls() == []


@pytest.mark.parametrize(("program", "name"), [("az", "Azure CLI"), ("azd", "Azure Developer CLI")])
def test_signs_in_by_a_program(client: Client, program: str, name: str) -> None:
    (client.bin / "az").unlink()
    client.add_program(program)
    signed_in = sign_in(client)
    for _ in range(3):
        signed_in.token(scope(client))
    assert signed_in.credential_name == name
    (call,) = client.program_calls()
    assert call.startswith(f"{program} ") and client.service.url in call


# What each configured credential needs, and a value that is not accepted.
CONFIGURED = {
    "secret": ("AZURE_CLIENT_SECRET", "w~rong"),
    "certificate": ("AZURE_CLIENT_CERTIFICATE_PATH", "/dev/null"),
    "workload": ("AZURE_FEDERATED_TOKEN_FILE", "/dev/null"),
    "github": ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "w~rong"),
    "pipelines": ("SYSTEM_ACCESSTOKEN", "w~rong"),
}


def failure(client: Client, patience: str = "5", **changes: str) -> SignInFailed:
    """Why signing in failed; `patience` does not count for what goes before."""
    client.set(**changes)
    signed_in, asked = sign_in(client), scope(client)
    client.set(AZUREML_JOBS_PATIENCE=patience)
    with pytest.raises(SignInFailed) as caught:
        signed_in.token(asked)
    assert caught.value.status == 1 and not re.search("w~rong|eyJ", str(caught.value))
    return caught.value


def failure_that_ends_there(client: Client, kind: str, **changes: str) -> SignInFailed:
    """Why a configured credential failed on a machine whose own identity could sign in, too."""
    client.use({**client.service.client.direct("machine"), **client.service.client.direct(kind)})
    client.add_program("azd")
    failed = failure(client, **changes)
    (attempt,) = failed.what.splitlines()[1:]
    assert attempt.startswith("  the environment (") and not attempt.endswith(": ")
    assert client.program_calls() == [] and client.requests("GET", "/metadata/identity") == []
    return failed


@pytest.mark.parametrize("kind", CONFIGURED)
def test_a_configured_credential_that_is_wrong_ends_there(client: Client, kind: str) -> None:
    variable, wrong = CONFIGURED[kind]
    failed = failure_that_ends_there(client, kind, **{variable: wrong})
    is_server = kind in ("github", "pipelines")
    assert failed.remedy.startswith("docs/azure.md" if is_server else "Correct the environment (")
    if kind == "secret":
        # As when a job is submitted.
        assert client.submit() == 1
        assert "error: Azure: could not sign in. " in client.printed().err
        assert client.jobs() == [] and client.program_calls() == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param({"kind": "status", "status": 403}, "403|Forbidden", id="403"),
        pytest.param(
            {"kind": "status", "status": 429, "retry_after": 60}, "TooManyRequests", id="429"
        ),
        pytest.param({"kind": "reset-before"}, "EOF|reset|aborted", id="reset"),
        pytest.param({"kind": "page", "status": 200}, ".", id="a page"),
        pytest.param({"kind": "page", "status": 503}, ".", id="a page with 503"),
    ],
)
@pytest.mark.parametrize("kind", CONFIGURED)
def test_a_configured_credential_that_fails_ends_there(
    client: Client, kind: str, fault: dict[str, Any], reason: str
) -> None:
    client.add_fault(**fault, method="POST", path="/oauth2/v2.0/token", times=None)
    failed = failure_that_ends_there(client, kind, patience="0.5")
    assert re.search(reason, str(failed))
    if fault["kind"] == "reset-before":
        assert failed.remedy.startswith("Look at the network")


@pytest.mark.parametrize("kind", CONFIGURED)
@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "reset-after"}])
def test_a_passing_fault_does_not_end_the_sign_in(
    client: Client, kind: str, fault: dict[str, Any]
) -> None:
    client.use(client.service.client.direct(kind))
    rule = client.add_fault(**fault, method="POST", path="/oauth2/v2.0/token")
    sign_in(client).token(scope(client))
    assert rule.hits == 1


def test_a_failure_lists_what_was_tried_and_why_it_failed(client: Client) -> None:
    client.add_program("az", "echo 'ERROR: Please run az login to set up an account.' >&2; exit 1")
    assert str(failure(client)) == (
        "Azure: could not sign in. What was tried, in this order:\n"
        "  the environment: neither AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH nor "
        "AZURE_FEDERATED_TOKEN_FILE is set\n"
        "  a managed identity: this machine has none\n"
        "  Azure CLI: Please run 'az login' to set up an account\n"
        "  Azure Developer CLI: `azd` is not installed.\n\n"
        "Sign in by `az login`, or add `--login` after `--` to sign in by a browser."
    )


@pytest.mark.parametrize(
    ("printed", "remedy"),
    [
        ("Please run az login to set up an account.", "Sign in by `az login`"),
        ("HTTPSConnectionPool(host='x'): Max retries exceeded with url: /", "Look at the network"),
        ("AADSTS700024: Client assertion is not within its valid time range.", "Set the clock"),
    ],
)
def test_advises_to_sign_in_only_where_that_is_the_problem(
    client: Client, printed: str, remedy: str
) -> None:
    client.add_program("az", f'echo "ERROR: {printed}" >&2; exit 1')
    assert failure(client).remedy.startswith(remedy)


def untrusted(client: Client) -> None:
    servers = client.service.sign_in.build_servers
    client.monkeypatch.setattr(servers, "trusted", servers.trusted - {servers.github})


def expired(client: Client) -> None:
    client.monkeypatch.setattr(client.service.sign_in.build_servers, "lifetime", -1)


def silent(client: Client) -> None:
    client.add_fault("slow", "GET", "/actions/idtoken", times=None, seconds=60)


def empty(client: Client) -> None:
    client.add_fault("status", "GET", "/actions/idtoken", status=200)


CONNECTION = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"
REFUSED = "no OIDC token: the service answered 401"
URL, TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        ("github", {URL: "", TOKEN: ""}, "Add `permissions: {id-token: write}`"),
        ("github", {"AZURE_CLIENT_ID": ""}, "OIDC needs AZURE_CLIENT_ID"),
        (
            *("pipelines", {"SYSTEM_ACCESSTOKEN": ""}),
            "Map it by `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`",
        ),
        (
            *("pipelines", {CONNECTION: "", "AZURE_TENANT_ID": ""}),
            f"OIDC needs {CONNECTION} (the task AzureCLI@2 sets it) and AZURE_TENANT_ID",
        ),
        ("github", {TOKEN: "w~rong"}, REFUSED),
        ("pipelines", {"SYSTEM_ACCESSTOKEN": "w~rong"}, REFUSED),
        ("pipelines", {CONNECTION: "an other"}, "404: Service connection an other was not found"),
        ("github", expired, "AADSTS700024: The assertion is not within its valid time range"),
        ("github", untrusted, "presented assertion subject 'repo:"),
        ("github", silent, "timed out"),
        ("github", empty, "no OIDC token: the service's answer has no `value`"),
    ],
)
def test_says_why_a_build_server_does_not_sign_in(
    client: Client, kind: str, change: Any, why: str
) -> None:
    client.use(client.service.client.direct(kind))
    client.set(AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:9")
    (client.bin / "az").unlink()
    if isinstance(change, dict):
        client.set(**change)
    else:
        change(client)
    failed = failure(client, patience="0.3" if change is silent else "5")
    assert why in str(failed)
    if isinstance(change, dict):
        assert failed.remedy == "docs/azure.md, Build servers, says what a workflow needs."
        assert client.requests("POST", "/oauth2/v2.0/token") == []


def test_a_build_server_that_is_not_configured_leaves_it_to_azure_cli(client: Client) -> None:
    # As after the action azure/login, or in the task AzureCLI@2.
    client.use({**client.service.client.direct("github"), "AZURE_CLIENT_ID": ""})
    client.set(AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:9")
    signed_in = sign_in(client)
    signed_in.token(scope(client))
    assert (signed_in.credential_name, signed_in.warnings) == ("Azure CLI", [])


@pytest.mark.parametrize("cloud", ["AzureCloud", "AzureChinaCloud", "AzureUSGovernment"])
def test_a_build_server_names_the_directory_of_the_cloud(client: Client, cloud: str) -> None:
    client.use({**client.service.client.by_proxy("github"), "CLOUD": cloud})
    # The build server itself is no host of a cloud.
    client.set(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")
    (client.bin / "az").unlink()
    config = client.config()
    found = find_cloud(config.cloud, config.cloud_source)
    signed_in = SignIn(found)
    signed_in.token(found.management_scope)
    assert signed_in.credential_name == "the environment (OIDC of GitHub Actions)"


def test_a_build_server_is_asked_again_for_each_token(client: Client) -> None:
    # Its tokens last for minutes, a job that is followed for hours.
    client.use(client.service.client.direct("github"))
    client.service.recording.clear()
    signed_in = sign_in(client)
    first = signed_in.token(scope(client))
    assert signed_in.token(scope(client), rejected=first) != first
    assert len(client.requests("GET", "/actions/idtoken")) == 2


def test_a_program_that_hangs_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_PROGRAM_SECONDS", 0.3)
    client.add_program("az", "sleep 60")
    client.add_program("azd")
    begun = time.monotonic()
    signed_in = sign_in(client)
    signed_in.token(scope(client))
    assert signed_in.credential_name == "Azure Developer CLI"
    # A guard against hanging, no measure.
    assert time.monotonic() - begun < 30


def test_a_program_that_prints_something_else_is_not_quoted(client: Client) -> None:
    client.add_program("az", "echo eyJsecret; exit 0")
    assert "Azure CLI: Unexpected output from Azure CLI" in str(failure(client))


def test_a_token_is_renewed_before_it_expires(client: Client) -> None:
    client.use(client.service.client.direct("secret"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(client.service.tokens, "lifetime", 200)
        signed_in = sign_in(client)
        first = signed_in.token(scope(client))
        assert signed_in._token(scope(client)).seconds_left < 300
    assert signed_in.token(scope(client)) != first
    renewed = signed_in.token(scope(client))
    assert signed_in.token(scope(client)) == renewed


def test_asks_a_person_only_by_login(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    client.use(
        {**client.service.client.direct(""), "AZURE_TENANT_ID": client.service.tokens.tenant}
    )
    signed_in = sign_in(client, login=True)
    signed_in.token(scope(client))
    assert signed_in.credential_name == "a browser"
    assert "To sign in, open " in client.printed().err
    assert client.program_calls() == []


def test_nothing_secret_is_in_what_a_failure_prints(client: Client) -> None:
    client.use(client.service.client.direct("secret"))
    client.set(AZUREML_JOBS_PATIENCE="0.3")
    secret = client.environment["AZURE_CLIENT_SECRET"]
    client.add_fault("status", "PUT", "/code/", times=None, status=403)
    folder = client.create_submission()
    assert client.send(folder) == 1
    printed = "".join(client.printed())
    kept = "".join(
        path.read_text(errors="replace") for path in folder.path.rglob("*") if path.is_file()
    )
    for text in (printed, kept):
        assert secret not in text and "sig=" not in text and "eyJ" not in text


# The second import waits: modules that need each other are not started from two sides.
BOTH_IMPORTS = """
import sys, threading, time
from azureml_jobs.azure import credentials, sdk

def begun():
    return sorted(name for name in sys.modules if name.startswith(("azure.core", "azure.ai")))

with credentials._one_at_a_time:
    threads = [
        threading.Thread(target=each) for each in (credentials.import_identity, sdk.import_sdk)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert not begun(), begun()
for thread in threads:
    thread.join()
assert {"azure.identity", "azure.ai.ml"} <= set(sys.modules)
"""


def test_packages_of_azure_are_imported_by_one_thread_at_a_time() -> None:
    subprocess.run(
        [sys.executable, "-c", BOTH_IMPORTS], env=Tool.environment(), check=True, timeout=60
    )
