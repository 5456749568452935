"""Where requests go: the hosts of a cloud, and no token to any other; and why one fails."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme
from azureml_jobs.azure.answers import ServiceError
from azureml_jobs.azure.clouds import find_cloud
from azureml_jobs.azure.conftest import Client, faults
from azureml_jobs.azure.connection import Connection
from azureml_jobs.base.errors import JobError, OutsideError

# The same server by another name, which is no host of the stand-in's own cloud.
ELSEWHERE = "https://localhost:{port}"
BLOBS = {"accountName": "thief", "containerName": "c", "endpoint": "example.org"}
LEADS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "the next page": (r"/jobs\?", {"value": [], "nextLink": f"{ELSEWHERE}/more"}, ["jobs", "list"]),
    "the discovery": (
        r"/workspaces/standin-workspace\?",
        {"properties": {"discoveryUrl": f"{ELSEWHERE}/discovery"}},
        ["jobs", "list", "--experiment", "exp"],
    ),
    "the data plane": ("/discovery", {"api": ELSEWHERE}, ["jobs", "list", "--experiment", "exp"]),
    "a datastore": (
        "/datastores/workspaceblobstore",
        {
            "properties": {
                **BLOBS,
                "datastoreType": "AzureBlob",
                "credentials": {"credentialsType": "None"},
            }
        },
        ["data", "register", "wine", "--path", "src/exp/data"],
    ),
}


@pytest.mark.parametrize(("path", "answer", "command"), LEADS.values(), ids=LEADS)
def test_no_token_goes_to_a_host_outside_of_the_cloud(
    client: Client, path: str, answer: dict[str, Any], command: list[str]
) -> None:
    client.service.control.datastore_credentials = "None"
    client.use(client.service.client.direct("secret"))
    body = json.dumps(answer).replace("{port}", client.service.url.rpartition(":")[2])
    client.add_fault(
        *(faults.PAGE, "GET", path),
        times=None,
        status=200,
        body=body,
        media_type="application/json",
    )
    assert client.run_aml(*command) == 1
    err = client.printed().err
    assert "is no host of the configured cloud, and gets no token" in err
    assert not [each for each in client.requests() if each.host.startswith("localhost")]


def test_the_hosts_of_a_cloud_are_those_of_its_services() -> None:
    cloud = find_cloud("AzureCloud", "config.env: CLOUD", {})
    for url in (
        "https://management.azure.com/x",
        "https://westeurope.api.azureml.ms/history",
        "https://a1.workspace.westeurope.api.azureml.ms/discovery",
        "https://me.blob.core.windows.net/c",
        "https://me.z01.blob.storage.azure.net/c",
        "https://mine-abc.azurecr.io/v2/",
    ):
        assert cloud.owns(url), url
    for url in (
        "http://management.azure.com/x",
        "https://management.azure.com.example.org/",
        "https://blob.core.windows.net.example.org/",
        "https://management.azure.com:8443/",
        "https://management.azure.com@example.org/",
        "https://westeurope.api.ml.azure.cn/",
        "https://evilazurecr.io/",
    ):
        assert not cloud.owns(url), url


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def serve(context: ssl.SSLContext | None, answer: bytes) -> int:
    """Answer connections in the background; return the port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer_all() -> None:
        while True:
            connection = listening.accept()[0]
            with contextlib.suppress(OSError), connection:
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                connection.recv(65536)
                connection.sendall(answer)

    threading.Thread(target=answer_all, daemon=True).start()
    port: int = listening.getsockname()[1]
    return port


AGO = (datetime.now(timezone.utc) - timedelta(minutes=20)).strftime("%a, %d %b %Y %H:%M:%S GMT")
REFUSED = f"HTTP/1.1 403 Forbidden\r\nDate: {AGO}\r\nContent-Length: 0\r\n\r\n".encode()
PAGE = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://login.hotel/\r\nContent-Length: 0\r\n\r\n"
EXPIRED = {"not_before": datetime(2020, 1, 1), "not_after": datetime(2020, 2, 1)}


@pytest.mark.parametrize(
    ("certificate", "answer", "remedy"),
    [
        pytest.param({"names": ["localhost"], **EXPIRED}, b"", "the clock", id="expired"),
        pytest.param({"names": ["example.org"]}, b"", "Something else answers", id="a name"),
        pytest.param({"names": ["localhost"], "other": True}, b"", "BUNDLE", id="an authority"),
        pytest.param(None, b"HTTP/1.1 200 OK\r\n\r\n", "speaks no TLS", id="no TLS"),
        pytest.param({"names": ["localhost"]}, REFUSED, " minutes fast", id="a clock"),
        pytest.param({"names": ["localhost"]}, PAGE, "sign in to the network", id="a page"),
        pytest.param({"names": ["localhost"]}, MOVED, "sign in to the network", id="a redirect"),
    ],
)
@pytest.mark.usefixtures("patient")
def test_names_the_cause_of_a_failure(
    certificate: dict[str, Any] | None,
    answer: bytes,
    remedy: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority, context = trustme.CA(), None
    trusted = trustme.CA() if certificate and certificate.pop("other", False) else authority
    trusted.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*certificate.pop("names"), **certificate).configure_cert(context)
    port = serve(context, answer)
    with pytest.raises(ServiceError) as caught:
        Connection().request("GET", f"https://localhost:{port}/x", patience=2)
    assert remedy in caught.value.remedy and "az login" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "proxy", "remedy"),
    [
        ("no-such-host.invalid", "", "DNS"),
        ("localhost:9", "", "Look at the network"),
        ("example.org", "http://me:secret@127.0.0.1:9", "Look at the proxy 127.0.0.1, "),
        ("example.org", "me:secret@127.0.0.1:9", "Look at the proxy 127.0.0.1, "),
        ("example.org", "socks5://me:secret@127.0.0.1:9", "at `HTTPS_PROXY`"),
        ("example.org", "http://me:secret@127.0.0.1:x", "at `HTTPS_PROXY`"),
        ("example.org", "http://me:secret@[127.0.0.1:9", "at `HTTPS_PROXY`"),
    ],
)
@pytest.mark.usefixtures("patient")
def test_names_what_cannot_be_reached(
    host: str, proxy: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ServiceError) as caught:
        Connection().request("GET", f"https://{host}/x", patience=1)
    assert remedy in caught.value.remedy and "secret" not in str(caught.value)


# The hosts of a resource manager, of signing in, and of the stand-in's account.
CLOUDS = {
    "AzureCloud": "management.azure.com login.microsoftonline.com blob.core.windows.net",
    "AzureChinaCloud": (
        "management.chinacloudapi.cn login.chinacloudapi.cn blob.core.chinacloudapi.cn"
    ),
    "AzureUSGovernment": (
        "management.usgovcloudapi.net login.microsoftonline.us blob.core.usgovcloudapi.net"
    ),
}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_everything_stays_in_the_cloud_that_is_named(client: Client, cloud: str) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        client.monkeypatch.delenv(name, raising=False)
    client.use({**client.service.client.by_proxy("secret"), "CLOUD": cloud})
    assert client.submit() == 0, client.printed().err
    assert client.run_aml("data", "register", "wine", "--path", "src/exp/data") == 0
    assert client.run_aml("data", "download", "wine") == 0
    assert (client.repository / "data/wine/1/below/b.csv").read_text() == "2\n"
    asked = {each.host.partition(":")[0] for each in client.requests() if each.kind != "proxy"}
    assert asked == set(CLOUDS[cloud].replace("blob", "standin.blob").split())


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
