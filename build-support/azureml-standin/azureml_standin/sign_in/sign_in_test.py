"""Test what signing in refuses. The tool's own tests sign in by each way."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from azureml_standin.conftest import API_VERSION, Caller

ARM = "https://management.azure.com/.default"


@pytest.fixture(autouse=True)
def variables(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
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
