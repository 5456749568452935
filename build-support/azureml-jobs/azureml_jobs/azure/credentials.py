"""The credentials of azure-identity that sign in, and the order in which they are tried.

Packages of Azure are imported late, because they take a second, and one after the other: signing
in runs next to the import of azure-ai-ml. Modules of azure-core import each other; started in two
threads, Python ends such imports with a `_DeadlockError`.
"""

from __future__ import annotations

import functools
import logging
import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azureml_jobs.azure.oidc import BuildServer, build_server
from azureml_jobs.azure.retries import TRANSIENT_STATUSES

if TYPE_CHECKING:
    from azureml_jobs.azure.clouds import Cloud

_IDENTITY_SECONDS = 15.0
# No other one is tried then, and a busy machine takes its time.
_CONFIGURED_SECONDS = 60.0
_PROGRAM_SECONDS = 30.0
_LOGIN_SECONDS = 300.0
_PROBE_SECONDS = 0.5
# Where a virtual machine of Azure finds its identity; the variable is azure-identity's own.
_METADATA_ADDRESS = "http://169.254.169.254"
_METADATA_VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
_SECRET = "AZURE_CLIENT_SECRET"
_CERTIFICATE = "AZURE_CLIENT_CERTIFICATE_PATH"
_FEDERATED = "AZURE_FEDERATED_TOKEN_FILE"
_PASSWORD = "AZURE_CLIENT_CERTIFICATE_PASSWORD"
_KINDS = {_SECRET: "client secret", _CERTIFICATE: "certificate", _FEDERATED: "workload identity"}


_one_at_a_time = threading.Lock()


def import_identity() -> Any:
    """Import azure-identity, with all that its credentials need of azure-core."""
    with _one_at_a_time:
        from azure import identity

        # azure-core imports it when the first credential is made, without this lock.
        from azure.core.pipeline.transport import RequestsTransport  # noqa: F401

        # What fails is reported once, and by us.
        logging.getLogger("azure").setLevel(logging.ERROR)
        return identity


class NotSetUp(Exception):
    """This credential is not set up here, so that the next one is tried."""


@dataclass(frozen=True)
class Credential:
    """One way to sign in. `make` returns a credential of azure-identity, or raises.

    `is_configured` says that the user chose it: when it fails, no other one signs in.
    """

    name: str
    make: Callable[[], Any]
    seconds: float = _IDENTITY_SECONDS
    is_configured: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)


def credentials(cloud: Cloud, login: bool) -> list[Credential]:
    """Return the credentials to try, in this order. Only that of `login` asks the user anything."""
    if login:
        # One for the whole run: it knows who signed in.
        browser = functools.cache(partial(_browser, cloud))
        return [Credential("a browser", browser, _LOGIN_SECONDS, is_configured=True)]
    server = build_server(cloud)
    if configured := _configured(cloud, server):
        return [configured]
    is_named = bool(os.environ.get("AZURE_CLIENT_ID"))
    azure_cli, developer_cli = (partial(_program, name) for name in ("az", "azd"))
    return [
        Credential("the environment", partial(_nothing_set, server)),
        Credential("a managed identity", _managed_identity, is_configured=is_named),
        Credential("Azure CLI", azure_cli, _PROGRAM_SECONDS),
        Credential("Azure Developer CLI", developer_cli, _PROGRAM_SECONDS),
    ]


def _configured(cloud: Cloud, server: BuildServer | None) -> Credential | None:
    """Return the credential that variables of the environment name, or None."""
    if variable := next((name for name in _KINDS if os.environ.get(name)), None):
        return Credential(
            f"the environment ({_KINDS[variable]})",
            partial(_principal, cloud, variable),
            _CONFIGURED_SECONDS,
            is_configured=True,
            secrets=tuple(os.environ.get(name, "") for name in (_SECRET, _PASSWORD)),
        )
    is_named = all(os.environ.get(name) for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID"))
    if server is None or (server.missing and not is_named):
        return None
    return Credential(
        f"the environment (OIDC of {server.name})",
        partial(_federated, cloud, server),
        _CONFIGURED_SECONDS,
        is_configured=True,
        secrets=(server.secret,),
    )


def _principal(cloud: Cloud, variable: str) -> Any:
    """Make a service principal's credential, or that of a workload."""
    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID")
    if missing := [name for name in names if not os.environ.get(name)]:
        raise ValueError(f"{variable} is set, but not {' and '.join(missing)}")
    identity, settings = import_identity(), _settings(cloud)
    if variable == _FEDERATED:
        return identity.WorkloadIdentityCredential(**settings)
    return identity.EnvironmentCredential(**settings)


def _federated(cloud: Cloud, server: BuildServer) -> Any:
    if server.missing:
        raise ValueError(server.missing)
    return import_identity().ClientAssertionCredential(
        server.tenant, server.client, server.token, **_settings(cloud)
    )


def _nothing_set(server: BuildServer | None) -> Any:
    *names, last = _KINDS
    reason = f"neither {', '.join(names)} nor {last} is set"
    raise NotSetUp(f"{reason}; {server.missing}" if server else reason)


def _managed_identity() -> Any:
    """Make the credential of a virtual machine, a container app, a compute instance."""
    if not any(os.environ.get(name) for name in ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")):
        address = urlsplit(os.environ.get(_METADATA_VARIABLE) or _METADATA_ADDRESS)
        try:
            # azure-identity itself would wait for seconds.
            host = (address.hostname or "", address.port or 80)
            socket.create_connection(host, _PROBE_SECONDS).close()
        except OSError as error:
            raise NotSetUp("this machine has none") from error
    client = os.environ.get("AZURE_CLIENT_ID") or None
    return import_identity().ManagedIdentityCredential(client_id=client)


def _program(name: str) -> Any:
    if not shutil.which(name):
        raise NotSetUp(f"`{name}` is not installed")
    identity = import_identity()
    kinds = {"az": identity.AzureCliCredential, "azd": identity.AzureDeveloperCliCredential}
    # It is given up from outside, which is reported as such.
    return kinds[name](process_timeout=int(_PROGRAM_SECONDS) + 1)


def _browser(cloud: Cloud) -> Any:
    """Make the credential of a browser, here or, without a display, on another machine."""
    identity, settings = import_identity(), _settings(cloud)
    if os.environ.get("AZURE_TENANT_ID"):
        settings["tenant_id"] = os.environ["AZURE_TENANT_ID"]
    if any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        return identity.InteractiveBrowserCredential(**settings)

    def show(address: str, code: str, _: datetime) -> None:
        print(f"To sign in, open {address} in any browser and enter {code}", file=sys.stderr)

    return identity.DeviceCodeCredential(prompt_callback=show, **settings)


def _settings(cloud: Cloud) -> dict[str, Any]:
    return {
        "authority": os.environ.get("AZURE_AUTHORITY_HOST") or cloud.authority,
        # The public directory does not know a private one.
        "disable_instance_discovery": cloud.is_private,
        # `Retries` does that, and reports the last error.
        "retry_total": 0,
        "raw_response_hook": _raise_for_transient,
    }


def _raise_for_transient(response: Any) -> None:
    """Raise what can be tried again: MSAL would report neither the status nor `Retry-After`."""
    from azure.core.exceptions import HttpResponseError

    if response.http_response.status_code in TRANSIENT_STATUSES:
        raise HttpResponseError(response=response.http_response)
