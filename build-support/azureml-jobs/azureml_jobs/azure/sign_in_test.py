"""Ways to sign in, each by its real door: azure-identity over HTTPS, and programs on the PATH."""

from __future__ import annotations

import time

import pytest
from azureml_jobs.azure import sign_in_ways
from azureml_jobs.azure.clouds import find_cloud
from azureml_jobs.azure.conftest import Client
from azureml_jobs.azure.sign_in import SignIn, SignInFailed


def sign_in(client: Client, login: bool = False) -> SignIn:
    place = client.workspace()
    return SignIn(find_cloud(place.cloud, place.source), login)


def scope(client: Client) -> str:
    return f"{client.service.url}/.default"


@pytest.mark.parametrize(
    ("kind", "way"),
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
def test_signs_in_without_a_person(client: Client, kind: str, way: str) -> None:
    client.use(client.service.client.direct(kind))
    (client.bin / "az").unlink()
    signed_in = sign_in(client)
    token = signed_in.token(scope(client))
    client.service.tokens.check_token(token, [client.service.url])
    assert (signed_in.way, signed_in.warnings) == (way, [])


@pytest.mark.parametrize(("program", "way"), [("az", "Azure CLI"), ("azd", "Azure Developer CLI")])
def test_signs_in_by_a_program(client: Client, program: str, way: str) -> None:
    (client.bin / "az").unlink()
    client.add_program(program)
    signed_in = sign_in(client)
    for _ in range(3):
        signed_in.token(scope(client))
    assert signed_in.way == way
    (call,) = client.program_calls()
    assert call.startswith(f"{program} ") and call.endswith(f" {scope(client)}")


def test_the_environment_comes_first(client: Client) -> None:
    client.use(client.service.client.direct("secret"))
    client.add_program("azd")
    signed_in = sign_in(client)
    signed_in.token(scope(client))
    assert signed_in.way == "the environment (client secret)"
    assert client.program_calls() == []


def test_what_is_set_up_and_fails_is_told_though_another_way_works(client: Client) -> None:
    client.use(client.service.client.direct("secret"))
    client.set(AZURE_CLIENT_SECRET="w~rong", AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:9")
    signed_in = sign_in(client)
    signed_in.token(scope(client))
    assert signed_in.way == "Azure CLI"
    (warning,) = signed_in.warnings
    assert warning.startswith("signing in by the environment (client secret) failed: ")
    assert "w~rong" not in warning


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
        "  Azure CLI: Please run az login to set up an account\n"
        "  Azure Developer CLI: `azd` is not installed.\n\n"
        "Sign in by `az login`, or add `--login` behind `--` to sign in by a browser."
    )


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
            "its workflow lacks `permissions: {id-token: write}`",
            id="GitHub's permission",
        ),
        pytest.param(
            "github", ("AZURE_CLIENT_ID",), "OIDC needs AZURE_CLIENT_ID", id="GitHub's client"
        ),
        pytest.param(
            "pipelines",
            ("SYSTEM_ACCESSTOKEN",),
            "map it by `env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}`",
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
def test_says_what_a_build_server_lacks(
    client: Client, kind: str, empty: tuple[str, ...], why: str
) -> None:
    failed = without_programs(client, kind, **dict.fromkeys(empty, ""))
    assert why in str(failed)
    assert failed.remedy == "docs/azure.md, Build servers, says what a workflow needs."


def test_what_a_build_server_lacks_is_no_warning_where_another_way_works(client: Client) -> None:
    # As after the action azure/login, or in the task AzureCLI@2.
    client.use({**client.service.client.direct("github"), "AZURE_CLIENT_ID": ""})
    client.set(AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:9")
    signed_in = sign_in(client)
    signed_in.token(scope(client))
    assert (signed_in.way, signed_in.warnings) == ("Azure CLI", [])


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


def test_another_service_connection_is_told(client: Client) -> None:
    failed = without_programs(
        client, "pipelines", AZURESUBSCRIPTION_SERVICE_CONNECTION_ID="an other"
    )
    assert "404: Service connection an other was not found" in str(failed)


def test_what_a_build_server_tells_expires(client: Client) -> None:
    servers = client.service.sign_in.build_servers
    servers.lifetime = -1
    try:
        failed = without_programs(client, "github")
    finally:
        servers.lifetime = 600
    assert "AADSTS700024: The assertion is not within its valid time range" in str(failed)
    assert "eyJ" not in str(failed)


def test_a_workflow_that_nobody_trusts_is_named(client: Client) -> None:
    servers = client.service.sign_in.build_servers
    servers.trusted.remove(servers.github)
    try:
        failed = without_programs(client, "github")
    finally:
        servers.trusted.add(servers.github)
    assert f"presented assertion subject '{servers.github.subject}'" in str(failed)


def test_a_build_server_that_does_not_answer_is_given_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azureml_jobs.azure.oidc._PATIENCE_SECONDS", 0.3)
    client.add_fault("slow", "GET", "/actions/idtoken", times=None, seconds=60)
    failed = without_programs(client, "github")
    assert "the environment (OIDC of GitHub Actions): no OIDC token: " in str(failed)
    assert "timed out" in str(failed)


def test_an_answer_without_a_token_is_told(client: Client) -> None:
    client.add_fault("status", "GET", "/actions/idtoken", status=200)
    assert "no OIDC token: the answer has none" in str(without_programs(client, "github"))


@pytest.mark.parametrize("cloud", ["AzureCloud", "AzureChinaCloud", "AzureUSGovernment"])
def test_a_build_server_names_the_directory_of_the_cloud(client: Client, cloud: str) -> None:
    client.use({**client.service.client.by_proxy("github"), "CLOUD": cloud})
    # The build server itself is no host of a cloud.
    client.set(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")
    (client.bin / "az").unlink()
    place = client.workspace()
    found = find_cloud(place.cloud, place.source)
    signed_in = SignIn(found)
    signed_in.token(found.management_scope)
    assert signed_in.way == "the environment (OIDC of GitHub Actions)"


def test_each_token_is_asked_for_anew(client: Client) -> None:
    # What a build server tells lasts for minutes, a job that is followed for hours.
    client.use(client.service.client.direct("github"))
    client.service.recording.clear()
    signed_in = sign_in(client)
    first = signed_in.token(scope(client))
    assert signed_in.token(scope(client), rejected=first) != first
    assert len(client.requests("GET", "/actions/idtoken")) == 2


def test_a_way_that_hangs_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_ways, "_PROGRAM_SECONDS", 0.3)
    client.add_program("az", "sleep 60")
    client.add_program("azd")
    begun = time.monotonic()
    signed_in = sign_in(client)
    signed_in.token(scope(client))
    assert signed_in.way == "Azure Developer CLI"
    # A guard against hanging, no measure.
    assert time.monotonic() - begun < 30


def test_a_program_that_prints_something_else_is_not_quoted(client: Client) -> None:
    client.add_program("az", "echo eyJsecret; exit 0")
    with pytest.raises(SignInFailed) as caught:
        sign_in(client).token(scope(client))
    assert "Azure CLI: `az` printed something else than a token" in str(caught.value)
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


def test_asks_a_person_only_by_login(
    client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    client.use(
        {**client.service.client.direct(""), "AZURE_TENANT_ID": client.service.tokens.tenant}
    )
    signed_in = sign_in(client, login=True)
    signed_in.token(scope(client))
    assert signed_in.way == "a browser"
    assert "To sign in, open " in capsys.readouterr().err
    assert client.program_calls() == []


def test_no_token_shows_in_a_representation() -> None:
    token = sign_in_ways.Token("eyJsecret", time.monotonic() + 60)
    assert "eyJsecret" not in repr(token)


def test_nothing_secret_is_in_what_a_failure_prints(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.use(client.service.client.direct("secret"))
    client.set(AZUREML_JOBS_PATIENCE="0.3")
    secret = client.environment["AZURE_CLIENT_SECRET"]
    client.add_fault("status", "PUT", "/code/", times=None, status=403)
    folder = client.stage()
    assert client.send(folder) == 1
    printed = "".join(capsys.readouterr())
    kept = "".join(
        path.read_text(errors="replace") for path in folder.path.rglob("*") if path.is_file()
    )
    for text in (printed, kept):
        assert secret not in text and "sig=" not in text and "eyJ" not in text
