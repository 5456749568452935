"""Signing in by azure-identity: over HTTPS to the stand-in, and by programs on the PATH."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from azureml_jobs.azure import credentials
from azureml_jobs.azure.clouds import find_cloud
from azureml_jobs.azure.conftest import Client
from azureml_jobs.azure.sign_in import SignIn, SignInFailed


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
    (client.bin / "az").unlink()
    signed_in = sign_in(client)
    token = signed_in.token(scope(client))
    client.service.tokens.check_token(token, [client.service.url])
    assert (signed_in.credential_name, signed_in.warnings) == (name, [])


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


def test_the_environment_comes_first(client: Client) -> None:
    client.use(client.service.client.direct("secret"))
    client.add_program("azd")
    signed_in = sign_in(client)
    signed_in.token(scope(client))
    assert signed_in.credential_name == "the environment (client secret)"
    assert client.program_calls() == []


# What each configured credential needs, and a value that is not accepted.
CONFIGURED = {
    "secret": ("AZURE_CLIENT_SECRET", "w~rong"),
    "certificate": ("AZURE_CLIENT_CERTIFICATE_PATH", "/dev/null"),
    "workload": ("AZURE_FEDERATED_TOKEN_FILE", "/dev/null"),
    "github": ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "w~rong"),
    "pipelines": ("SYSTEM_ACCESSTOKEN", "w~rong"),
}


def assert_ends_there(client: Client, kind: str) -> SignInFailed:
    """No other credential is tried, and the reason is reported."""
    client.add_program("azd")
    signed_in = sign_in(client)
    with pytest.raises(SignInFailed) as caught:
        signed_in.token(scope(client))
    assert caught.value.status == 1
    (attempt,) = caught.value.what.splitlines()[1:]
    assert attempt.startswith("  the environment (") and not attempt.endswith(": ")
    assert client.program_calls() == [] and client.requests("GET", "/metadata/identity") == []
    assert "w~rong" not in str(caught.value) and "eyJ" not in str(caught.value)
    return caught.value


def use_with_machine_identity(client: Client, kind: str) -> None:
    """Configure a credential on a machine whose own identity could sign in, too."""
    client.use({**client.service.client.direct("machine"), **client.service.client.direct(kind)})


@pytest.mark.parametrize("kind", CONFIGURED)
def test_a_configured_credential_that_is_wrong_ends_there(client: Client, kind: str) -> None:
    use_with_machine_identity(client, kind)
    variable, wrong = CONFIGURED[kind]
    client.set(**{variable: wrong})
    failed = assert_ends_there(client, kind)
    is_server = kind in ("github", "pipelines")
    assert failed.remedy.startswith("docs/azure.md" if is_server else "Correct the environment (")


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
    use_with_machine_identity(client, kind)
    client.set(AZUREML_JOBS_PATIENCE="0.5")
    client.add_fault(**fault, method="POST", path="/oauth2/v2.0/token", times=None)
    failed = assert_ends_there(client, kind)
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


def test_a_failed_credential_ends_a_submission(client: Client) -> None:
    use_with_machine_identity(client, "secret")
    client.set(AZURE_CLIENT_SECRET="w~rong")
    assert client.submit() == 1
    assert "error: Azure: could not sign in. " in client.printed().err
    assert client.jobs() == [] and client.program_calls() == []


def test_a_failure_lists_what_was_tried_and_why_it_failed(client: Client) -> None:
    client.add_program("az", "echo 'ERROR: Please run az login to set up an account.' >&2; exit 1")
    with pytest.raises(SignInFailed) as caught:
        sign_in(client).token(scope(client))
    assert caught.value.status == 1
    assert str(caught.value) == (
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
    with pytest.raises(SignInFailed) as caught:
        sign_in(client).token(scope(client))
    assert caught.value.remedy.startswith(remedy)


def without_programs(client: Client, kind: str, **changes: str) -> SignInFailed:
    """Why signing in failed on a build server on which nothing else is set up."""
    client.use({**client.service.client.direct(kind), **changes})
    client.set(AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:9")
    (client.bin / "az").unlink(missing_ok=True)
    with pytest.raises(SignInFailed) as caught:
        sign_in(client).token(scope(client))
    return caught.value


@pytest.mark.parametrize(
    ("kind", "empty", "why"),
    [
        pytest.param(
            "github",
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
            "Add `permissions: {id-token: write}`",
            id="GitHub's permission",
        ),
        pytest.param(
            "github", ("AZURE_CLIENT_ID",), "OIDC needs AZURE_CLIENT_ID", id="GitHub's client"
        ),
        pytest.param(
            "pipelines",
            ("SYSTEM_ACCESSTOKEN",),
            "Map it by `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`",
            id="the token of Azure Pipelines",
        ),
        pytest.param(
            "pipelines",
            ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "AZURE_TENANT_ID"),
            "OIDC needs AZURESUBSCRIPTION_SERVICE_CONNECTION_ID (the task AzureCLI@2 sets it) and "
            "AZURE_TENANT_ID",
            id="the connection of Azure Pipelines",
        ),
    ],
)
def test_says_what_a_build_server_is_missing(
    client: Client, kind: str, empty: tuple[str, ...], why: str
) -> None:
    failed = without_programs(client, kind, **dict.fromkeys(empty, ""))
    assert why in str(failed)
    assert failed.remedy == "docs/azure.md, Build servers, says what a workflow needs."


def test_a_build_server_that_is_not_configured_leaves_it_to_azure_cli(client: Client) -> None:
    # As after the action azure/login, or in the task AzureCLI@2.
    client.use({**client.service.client.direct("github"), "AZURE_CLIENT_ID": ""})
    client.set(AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:9")
    signed_in = sign_in(client)
    signed_in.token(scope(client))
    assert (signed_in.credential_name, signed_in.warnings) == ("Azure CLI", [])


@pytest.mark.parametrize(
    ("kind", "secret"),
    [("github", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"), ("pipelines", "SYSTEM_ACCESSTOKEN")],
)
def test_a_build_server_that_refuses_is_quoted_and_its_secret_is_not(
    client: Client, kind: str, secret: str
) -> None:
    failed = without_programs(client, kind, **{secret: "w~rong"})
    assert "no OIDC token: the service answered 401" in str(failed)
    assert "w~rong" not in str(failed)
    assert client.requests("POST", "/oauth2/v2.0/token") == []


def test_reports_an_unknown_service_connection(client: Client) -> None:
    failed = without_programs(
        client, "pipelines", AZURESUBSCRIPTION_SERVICE_CONNECTION_ID="an other"
    )
    assert "404: Service connection an other was not found" in str(failed)


def test_reports_an_expired_token_of_a_build_server(client: Client) -> None:
    servers = client.service.sign_in.build_servers
    servers.lifetime = -1
    try:
        failed = without_programs(client, "github")
    finally:
        servers.lifetime = 600
    assert "AADSTS700024: The assertion is not within its valid time range" in str(failed)
    assert "eyJ" not in str(failed)


def test_names_a_workflow_that_is_not_trusted(client: Client) -> None:
    servers = client.service.sign_in.build_servers
    servers.trusted.remove(servers.github)
    try:
        failed = without_programs(client, "github")
    finally:
        servers.trusted.add(servers.github)
    assert f"presented assertion subject '{servers.github.subject}'" in str(failed)


def test_a_build_server_that_does_not_answer_is_given_up(client: Client) -> None:
    client.add_fault("slow", "GET", "/actions/idtoken", times=None, seconds=60)
    failed = without_programs(client, "github", AZUREML_JOBS_PATIENCE="0.3")
    assert "the environment (OIDC of GitHub Actions): no OIDC token: " in str(failed)
    assert "timed out" in str(failed)


def test_reports_an_answer_without_a_token(client: Client) -> None:
    client.add_fault("status", "GET", "/actions/idtoken", status=200)
    assert "no OIDC token: the service's answer has no `value`" in str(
        without_programs(client, "github")
    )


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
    with pytest.raises(SignInFailed) as caught:
        sign_in(client).token(scope(client))
    assert "Azure CLI: Unexpected output from Azure CLI" in str(caught.value)
    assert "eyJsecret" not in str(caught.value)


def test_a_token_is_renewed_before_it_expires(client: Client) -> None:
    client.use(client.service.client.direct("secret"))
    client.service.tokens.lifetime = 200
    try:
        signed_in = sign_in(client)
        first = signed_in.token(scope(client))
        assert signed_in._token(scope(client)).seconds_left < 300
        client.service.tokens.lifetime = 3600
    finally:
        client.service.tokens.lifetime = 3600
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
