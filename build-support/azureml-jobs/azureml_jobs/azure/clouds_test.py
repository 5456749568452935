"""Clouds other than the public one, under their own names: the service is then the proxy."""

from __future__ import annotations

import pytest
from azureml_jobs.azure.clouds import find_cloud
from azureml_jobs.azure.conftest import Client
from azureml_jobs.base.errors import JobError, OutsideError


@pytest.mark.parametrize(
    ("cloud", "hosts"),
    [
        (
            "AzureCloud",
            {"management.azure.com", "login.microsoftonline.com", "standin.blob.core.windows.net"},
        ),
        (
            "AzureChinaCloud",
            {
                *("management.chinacloudapi.cn", "login.chinacloudapi.cn"),
                "standin.blob.core.chinacloudapi.cn",
            },
        ),
        (
            "AzureUSGovernment",
            {
                *("management.usgovcloudapi.net", "login.microsoftonline.us"),
                "standin.blob.core.usgovcloudapi.net",
            },
        ),
    ],
)
def test_everything_stays_in_the_cloud_that_is_named(
    client: Client, cloud: str, hosts: set[str]
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        client.monkeypatch.delenv(name, raising=False)
    client.use({**client.service.client.by_proxy("secret"), "CLOUD": cloud})
    assert client.submit() == 0, client.printed().err
    assert client.run_aml("data", "register", "wine", "--path", "src/exp/data") == 0
    assert client.run_aml("data", "download", "wine") == 0
    assert (client.repository / "data/wine/1/below/b.csv").read_text() == "2\n"
    asked = {each.host.partition(":")[0] for each in client.requests() if each.kind != "proxy"}
    assert asked == hosts


def test_a_private_cloud_is_found_by_its_name_in_the_metadata(client: Client) -> None:
    client.set(CLOUD="StandIn")
    client.monkeypatch.delenv("AZUREML_CURRENT_CLOUD")
    assert client.submit() == 0


@pytest.mark.parametrize("metadata", [True, False], ids=["in the metadata", "anywhere"])
def test_an_unknown_cloud_is_the_user_s_mistake(client: Client, metadata: bool) -> None:
    environment = {}
    if metadata:
        environment = {"ARM_CLOUD_METADATA_URL": client.environment["ARM_CLOUD_METADATA_URL"]}
    with pytest.raises(JobError, match="config.env: CLOUD: ") as caught:
        find_cloud("Nebula", "config.env: CLOUD", environment)
    assert caught.value.status == 2 and "AzureChinaCloud" in str(caught.value)


def test_reports_an_address_that_is_no_cloud(client: Client) -> None:
    client.set(AZUREML_JOBS_PATIENCE="0.2")
    with pytest.raises(OutsideError, match="GET localhost/metadata/endpoints"):
        find_cloud("https://localhost:9", "config.env: CLOUD", {})
