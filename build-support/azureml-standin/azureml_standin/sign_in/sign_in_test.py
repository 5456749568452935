"""Signing in by azure-identity in each way, and the refusals in the words of Entra ID."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    AzurePipelinesCredential,
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    DeviceCodeCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azureml_standin.conftest import API_VERSION, Caller

ARM = "https://management.azure.com/.default"
AML = "https://ml.azure.com/.default"
MADE: dict[str, Callable[[], Any]] = {
    "secret": lambda: EnvironmentCredential(disable_instance_discovery=True),
    "certificate": lambda: EnvironmentCredential(disable_instance_discovery=True),
    "workload": lambda: WorkloadIdentityCredential(disable_instance_discovery=True),
    "machine": ManagedIdentityCredential,
    "app-service": ManagedIdentityCredential,
    "pipelines": lambda: AzurePipelinesCredential(
        tenant_id=os.environ["AZURE_TENANT_ID"],
        client_id=os.environ["AZURE_CLIENT_ID"],
        service_connection_id=os.environ["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
        system_access_token=os.environ["SYSTEM_ACCESSTOKEN"],
        disable_instance_discovery=True,
    ),
}


# What a test of this file might find of the machine that runs it.
OF_A_MACHINE = ("AZURE", "IDENTITY_", "MSI_", "ACTIONS_ID_TOKEN_", "SYSTEM_")


@pytest.fixture(autouse=True)
def found(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(OF_A_MACHINE) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in caller.service.client.direct("").items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("way", MADE)
def test_gives_a_token_for_what_was_asked(
    caller: Caller, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in caller.service.client.sign_in_by(way).items():
        monkeypatch.setenv(name, value)
    credential = MADE[way]()
    for scope in (ARM, AML):
        token = credential.get_token(scope)
        claims = jwt.decode(token.token, options={"verify_signature": False})
        assert claims["aud"] == scope[: -len("/.default")]
        assert 3500 < token.expires_on - time.time() <= 3600
        assert claims["tid"] == caller.service.tokens.tenant


def test_signs_a_person_in_by_a_device_code(caller: Caller) -> None:
    shown: list[str] = []
    credential = DeviceCodeCredential(
        client_id=caller.service.sign_in.principal.client_id,
        tenant_id=caller.service.tokens.tenant,
        authority=caller.service.url,
        disable_instance_discovery=True,
        prompt_callback=lambda address, code, expires: shown.append(code),
    )
    assert credential.get_token(ARM).token
    assert shown == ["STANDIN"]


def with_secret(caller: Caller, **changes: str) -> ClientSecretCredential:
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
    ("changes", "scope", "told"),
    [
        pytest.param({"client_secret": "wrong"}, ARM, "AADSTS7000215", id="secret"),
        pytest.param({"client_id": "wrong"}, ARM, "AADSTS700016", id="application"),
        pytest.param({}, "https://other.example/.default", "AADSTS500011", id="resource"),
        pytest.param({}, "https://management.azure.com/x", "AADSTS1002012", id="scope"),
    ],
)
def test_refuses_in_the_words_of_entra(
    caller: Caller, changes: dict[str, str], scope: str, told: str
) -> None:
    with pytest.raises(ClientAuthenticationError, match=told):
        with_secret(caller, **changes).get_token(scope)


def test_refuses_a_tenant_that_it_is_not(caller: Caller) -> None:
    answer = caller.request("GET", "/other/v2.0/.well-known/openid-configuration")
    assert answer.status == 400 and b"AADSTS90002" in answer.body


def test_refuses_another_certificate(caller: Caller) -> None:
    theirs = caller.service.client.sign_in_by("certificate")["AZURE_CLIENT_CERTIFICATE_PATH"]
    with open(theirs, "rb") as file:
        kept = file.read()
    # The service knows a newer one from now on.
    caller.service.client.sign_in_by("certificate")
    credential = CertificateCredential(
        caller.service.tokens.tenant,
        caller.service.sign_in.principal.client_id,
        certificate_data=kept,
        authority=caller.service.url,
        disable_instance_discovery=True,
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
        credential.get_token(ARM)


def test_a_machine_without_an_identity_says_so(caller: Caller) -> None:
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


def test_build_servers_tell_only_those_who_run_there(caller: Caller) -> None:
    servers = caller.service.sign_in.build_servers
    github, pipelines = "/actions/idtoken?api-version=2.0", servers.variables("pipelines", "")
    path = f"{pipelines['SYSTEM_OIDCREQUESTURI']}?api-version=7.1"
    assert caller.request("GET", github).status == 401
    # Azure Pipelines leads whom it does not know to a page, unless that is unwanted.
    assert caller.request("POST", path).status == 302
    suppressed = {"X-TFS-FedAuthRedirect": "Suppress"}
    assert caller.request("POST", path, headers=suppressed).status == 401
    known = {**suppressed, "Authorization": f"Bearer {servers.pipelines_secret}"}
    assert caller.request("POST", path.partition("?")[0], headers=known).status == 400
    assert caller.request("POST", f"{path}&serviceConnectionId=x", headers=known).status == 404


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        pytest.param("github", "AADSTS700212", id="no audience"),
        pytest.param("pipelines", "AADSTS700213", id="no connection"),
    ],
)
def test_what_a_build_server_tells_has_to_be_for_azure(
    caller: Caller, kind: str, told: str
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
    with pytest.raises(ClientAuthenticationError, match=told):
        credential.get_token(ARM)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, "AuthenticationFailed", id="none"),
        pytest.param({"Authorization": "Basic x"}, "AuthenticationFailed", id="another kind"),
        pytest.param({"Authorization": "Bearer a.b.c"}, "InvalidAuthenticationToken", id="forged"),
    ],
)
def test_nothing_is_told_without_a_token(
    caller: Caller, headers: dict[str, str], code: str
) -> None:
    path = f"{caller.service.workspace.id}?api-version={API_VERSION}"
    answer = caller.request("GET", path, headers=headers)
    assert (answer.status, answer.code) == (401, code)


def test_a_token_is_for_one_resource(caller: Caller) -> None:
    path = f"{caller.service.workspace.id}?api-version={API_VERSION}"
    for audience, status in (
        ("https://management.azure.com/", 200),
        (caller.service.url, 200),
        ("https://ml.azure.com", 401),
        ("https://storage.azure.com", 401),
    ):
        headers = {"Authorization": f"Bearer {caller.token(audience)}"}
        assert caller.request("GET", path, headers=headers).status == status


def test_tokens_end_by_time_and_on_demand(caller: Caller) -> None:
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
