"""Test what signing in refuses. The tool's own tests sign in by each way."""

from __future__ import annotations

import os
from urllib.parse import urlencode

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
)
from azureml_standin.conftest import API_VERSION, Caller

ARM = "https://management.azure.com/.default"
# Variables of the machine that runs the tests.
OF_THE_MACHINE = ("AZURE", "IDENTITY_", "MSI_", "ACTIONS_ID_TOKEN_", "SYSTEM_")


@pytest.fixture(autouse=True)
def variables(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(OF_THE_MACHINE) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in caller.service.client.direct("").items():
        monkeypatch.setenv(name, value)


def secret_credential(caller: Caller, **changes: str) -> ClientSecretCredential:
    principal = caller.service.sign_in.principal
    given = {
        "tenant_id": caller.service.tokens.tenant,
        "client_id": principal.client_id,
        "client_secret": principal.secret,
        **changes,
    }
    return ClientSecretCredential(
        **given, authority=caller.service.url, disable_instance_discovery=True
    )


@pytest.mark.parametrize(
    ("changes", "scope", "expected"),
    [
        pytest.param({"client_secret": "wrong"}, ARM, "AADSTS7000215", id="secret"),
        pytest.param({"client_id": "wrong"}, ARM, "AADSTS700016", id="application"),
        pytest.param({}, "https://other.example/.default", "AADSTS500011", id="resource"),
        pytest.param({}, "https://management.azure.com/x", "AADSTS1002012", id="scope"),
    ],
)
def test_refuses_with_the_codes_of_entra_id(
    caller: Caller, changes: dict[str, str], scope: str, expected: str
) -> None:
    with pytest.raises(ClientAuthenticationError, match=expected):
        secret_credential(caller, **changes).get_token(scope)


def test_refuses_another_tenant(caller: Caller) -> None:
    answer = caller.request("GET", "/other/v2.0/.well-known/openid-configuration")
    assert answer.status == 400 and b"AADSTS90002" in answer.body


def test_refuses_an_old_certificate(caller: Caller) -> None:
    path = caller.service.client.sign_in_by("certificate")["AZURE_CLIENT_CERTIFICATE_PATH"]
    with open(path, "rb") as file:
        old = file.read()
    # The service accepts only the newest certificate.
    caller.service.client.sign_in_by("certificate")
    credential = CertificateCredential(
        caller.service.tokens.tenant,
        caller.service.sign_in.principal.client_id,
        certificate_data=old,
        authority=caller.service.url,
        disable_instance_discovery=True,
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
        credential.get_token(ARM)


def test_refuses_a_machine_without_an_identity(caller: Caller) -> None:
    identity = caller.service.sign_in.managed_identity
    query = urlencode({"resource": "https://management.azure.com", "api-version": "2018-02-01"})
    path = f"/metadata/identity/oauth2/token?{query}"
    assert b"bad_request_102" in caller.request("GET", path).body
    identity.is_assigned = False
    try:
        answer = caller.request("GET", path, headers={"Metadata": "true"})
    finally:
        identity.is_assigned = True
    assert answer.status == 400 and b"Identity not found" in answer.body
    assert caller.request("GET", f"/msi/token?{query}").status == 401


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("github", "AADSTS700212", id="no audience"),
        pytest.param("pipelines", "AADSTS700213", id="no connection"),
    ],
)
def test_refuses_tokens_of_build_servers_that_are_not_for_azure(
    caller: Caller, kind: str, expected: str
) -> None:
    servers = caller.service.sign_in.build_servers
    headers = {"X-TFS-FedAuthRedirect": "Suppress"}
    if kind == "github":
        headers["Authorization"] = f"Bearer {servers.github_secret}"
        answer = caller.request("GET", "/actions/idtoken?api-version=2.0", headers=headers)
        assertion = answer.json()["value"]
    else:
        headers["Authorization"] = f"Bearer {servers.pipelines_secret}"
        path = servers.variables("pipelines", "")["SYSTEM_OIDCREQUESTURI"]
        answer = caller.request("POST", f"{path}?api-version=7.1", headers=headers)
        assertion = answer.json()["oidcToken"]
    credential = ClientAssertionCredential(
        caller.service.tokens.tenant,
        caller.service.sign_in.principal.client_id,
        lambda: assertion,
        authority=caller.service.url,
        disable_instance_discovery=True,
    )
    with pytest.raises(ClientAuthenticationError, match=expected):
        credential.get_token(ARM)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, "AuthenticationFailed", id="none"),
        pytest.param({"Authorization": "Bearer a.b.c"}, "InvalidAuthenticationToken", id="forged"),
    ],
)
def test_refuses_a_request_without_a_valid_token(
    caller: Caller, headers: dict[str, str], code: str
) -> None:
    path = f"{caller.service.workspace.id}?api-version={API_VERSION}"
    answer = caller.request("GET", path, headers=headers)
    assert (answer.status, answer.code) == (401, code)


def test_refuses_tokens_for_other_resources(caller: Caller) -> None:
    path = f"{caller.service.workspace.id}?api-version={API_VERSION}"
    for audience, status in (
        ("https://management.azure.com/", 200),
        (caller.service.url, 200),
        ("https://ml.azure.com", 401),
        ("https://storage.azure.com", 401),
    ):
        headers = {"Authorization": f"Bearer {caller.token(audience)}"}
        assert caller.request("GET", path, headers=headers).status == status


def test_refuses_expired_and_withdrawn_tokens(caller: Caller) -> None:
    path = f"{caller.service.workspace.id}?api-version={API_VERSION}"
    tokens = caller.service.tokens
    early = {"Authorization": f"Bearer {caller.token()}"}
    tokens.withdraw()
    later = {"Authorization": f"Bearer {caller.token()}"}
    tokens.lifetime = -1
    try:
        expired = {"Authorization": f"Bearer {caller.token()}"}
    finally:
        tokens.lifetime = 3600
    for headers, status in ((early, 401), (later, 200), (expired, 401)):
        answer = caller.request("GET", path, headers=headers)
        assert answer.status == status
        assert status == 200 or answer.code == "ExpiredAuthenticationToken"
