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
        ("secret", "the environment"),
        ("certificate", "the environment"),
        ("workload", "the environment"),
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
    assert signed_in.way == "the environment"
    assert client.program_calls() == []


def test_what_is_set_up_and_fails_is_told_though_another_way_works(client: Client) -> None:
    client.use(client.service.client.direct("secret"))
    client.set(AZURE_CLIENT_SECRET="w~rong", AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:9")
    signed_in = sign_in(client)
    signed_in.token(scope(client))
    assert signed_in.way == "Azure CLI"
    (warning,) = signed_in.warnings
    assert warning.startswith("signing in by the environment failed: ")
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
