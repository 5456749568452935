"""The ways to sign in to Azure. Each one gives a token or says why not, within its time."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azureml_jobs.azure import oidc
from azureml_jobs.azure.connection import without_secrets
from azureml_jobs.azure.imports import import_identity

if TYPE_CHECKING:
    from azureml_jobs.azure.clouds import Cloud

_IDENTITY_SECONDS = 15.0
_PROGRAM_SECONDS = 30.0
_LOGIN_SECONDS = 300.0
_PROBE_SECONDS = 0.5
# Where a virtual machine of Azure finds its identity; the variable is azure-identity's own.
_METADATA_ADDRESS = "http://169.254.169.254"
_METADATA_VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
_HOSTED = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")
_SECRET = "AZURE_CLIENT_SECRET"
_CERTIFICATE = "AZURE_CLIENT_CERTIFICATE_PATH"
_FEDERATED = "AZURE_FEDERATED_TOKEN_FILE"
# What each of these signs in by, as the user sees it.
_METHODS = {_SECRET: "client secret", _CERTIFICATE: "certificate", _FEDERATED: "workload identity"}
_PASSWORD = "AZURE_CLIENT_CERTIFICATE_PASSWORD"


@dataclass(frozen=True)
class Token:
    """`expires` is a moment of the monotonic clock, so that nobody can set it back."""

    text: str = field(repr=False)
    expires: float

    @property
    def seconds_left(self) -> float:
        return self.expires - time.monotonic()


class WayMissing(Exception):
    """This way is not set up here."""


class WayFailed(Exception):
    """This way is set up, and did not work."""


@dataclass(frozen=True)
class Way:
    name: str
    fetch: Callable[[str], Token]


def ways(cloud: Cloud, environment: Mapping[str, str], login: bool) -> list[Way]:
    """What is tried, in this order. Only `login` asks the user anything."""
    azure_cli = _Program("az", environment)
    by_environment = _environment_way(cloud, environment)
    found = [
        by_environment or Way("the environment", partial(_nothing_set, environment)),
        Way("a managed identity", lambda scope: _managed_token(environment, scope)),
        Way("Azure CLI", azure_cli.fetch),
        Way("Azure Developer CLI", _Program("azd", environment).fetch),
    ]
    if login:
        browser = _Login(cloud, environment)
        return [Way("a browser", browser.fetch)]
    if by_environment is None:
        # It is slow to start; meanwhile the ways before it are looked at.
        found[1] = Way(found[1].name, azure_cli.beside(found[1].fetch))
    return found


def _environment_way(cloud: Cloud, environment: Mapping[str, str]) -> Way | None:
    """Signing in by what is set, None when nothing of that kind is."""
    method = next((name for name in _METHODS if environment.get(name)), None)
    if method:
        name = f"the environment ({_METHODS[method]})"
        return Way(name, partial(_principal_token, cloud, environment, method))
    server = oidc.build_server(environment, cloud)
    if server:
        name = f"the environment (OIDC of {server.name})"
        return Way(name, partial(_build_server_token, cloud, environment, server))
    return None


def _nothing_set(environment: Mapping[str, str], _: str) -> Token:
    names = list(_METHODS)
    why = f"neither {', '.join(names[:-1])} nor {names[-1]} is set"
    lacking = oidc.lacking(environment)
    raise WayMissing(f"{why}; {lacking}" if lacking else why)


def _principal_token(
    cloud: Cloud, environment: Mapping[str, str], method: str, scope: str
) -> Token:
    """A service principal by secret or certificate, or a workload's identity."""
    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID")
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise WayFailed(f"{method} is set, but {' and '.join(missing)} not")
    tenant, client = (environment[name] for name in names)

    def fetch() -> Token:
        identity = import_identity()

        settings = _authority(cloud, environment)
        credential: Any
        if method == _SECRET:
            credential = identity.ClientSecretCredential(
                tenant, client, environment[_SECRET], **settings
            )
        elif method == _CERTIFICATE:
            credential = identity.CertificateCredential(
                tenant,
                client,
                environment[_CERTIFICATE],
                password=environment.get(_PASSWORD),
                **settings,
            )
        else:
            credential = identity.WorkloadIdentityCredential(
                tenant_id=tenant,
                client_id=client,
                token_file_path=environment[_FEDERATED],
                **settings,
            )
        return _given(credential, scope)

    secrets = [environment.get(name, "") for name in (_SECRET, _PASSWORD)]
    return timed(fetch, _IDENTITY_SECONDS, secrets)


def _build_server_token(
    cloud: Cloud, environment: Mapping[str, str], server: oidc.BuildServer, scope: str
) -> Token:
    """A service principal that trusts a build server, which is asked anew each time."""

    def fetch() -> Token:
        identity = import_identity()

        assertion = server.token()
        credential = identity.ClientAssertionCredential(
            server.tenant, server.client, lambda: assertion, **_authority(cloud, environment)
        )
        return _given(credential, scope)

    return timed(fetch, _IDENTITY_SECONDS, [server.secret])


def _managed_token(environment: Mapping[str, str], scope: str) -> Token:
    """The identity of a virtual machine, a container app, a function, a compute instance."""
    if not any(environment.get(name) for name in _HOSTED):
        address = urlsplit(environment.get(_METADATA_VARIABLE) or _METADATA_ADDRESS)
        try:
            place = (address.hostname or "", address.port or 80)
            socket.create_connection(place, _PROBE_SECONDS).close()
        except OSError as error:
            raise WayMissing("this machine has none") from error

    def fetch() -> Token:
        identity = import_identity()

        client = environment.get("AZURE_CLIENT_ID")
        return _given(identity.ManagedIdentityCredential(client_id=client or None), scope)

    return timed(fetch, _IDENTITY_SECONDS)


class _Login:
    """The user signs in by a browser, here or, without a display, on another machine."""

    def __init__(self, cloud: Cloud, environment: Mapping[str, str]) -> None:
        self._cloud = cloud
        self._environment = environment
        self._credential: Any = None

    def fetch(self, scope: str) -> Token:
        return timed(lambda: self._ask(scope), _LOGIN_SECONDS)

    def _ask(self, scope: str) -> Token:
        if self._credential is None:
            identity = import_identity()

            settings = _authority(self._cloud, self._environment)
            if self._environment.get("AZURE_TENANT_ID"):
                settings["tenant_id"] = self._environment["AZURE_TENANT_ID"]
            has_display = any(self._environment.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
            kind = identity.InteractiveBrowserCredential if has_display else _device_code
            self._credential = kind(**settings)
        return _given(self._credential, scope)


def _device_code(**settings: Any) -> Any:
    import sys

    identity = import_identity()

    def show(address: str, code: str, _: datetime) -> None:
        print(f"To sign in, open {address} in any browser and enter {code}", file=sys.stderr)

    return identity.DeviceCodeCredential(prompt_callback=show, **settings)


class _Program:
    """Azure's own command lines: one process for each scope, the first one started early."""

    _ARGUMENTS = {
        "az": ("account", "get-access-token", "--output", "json", "--scope"),
        "azd": ("auth", "token", "--no-prompt", "--output", "json", "--scope"),
    }

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self._name = name
        self._environment = environment
        self._early: tuple[str, subprocess.Popen[str]] | None = None

    def beside(self, other: Callable[[str], Token]) -> Callable[[str], Token]:
        """`other`, with this program started before; it is ended when `other` gives a token."""

        def fetch(scope: str) -> Token:
            if self._early is None and shutil.which(self._name, path=self._path()):
                self._early = scope, self._start(scope)
            token = other(scope)
            if self._early is not None:
                _end(self._early[1])
                self._early = None
            return token

        return fetch

    def fetch(self, scope: str) -> Token:
        if not shutil.which(self._name, path=self._path()):
            raise WayMissing(f"`{self._name}` is not installed")
        if self._early is not None and self._early[0] == scope:
            process = self._early[1]
        else:
            process = self._start(scope)
        self._early = None
        try:
            output, errors = process.communicate(timeout=_PROGRAM_SECONDS)
        except subprocess.TimeoutExpired as error:
            _end(process)
            raise WayFailed(
                f"`{self._name}` did not answer within {_PROGRAM_SECONDS:g} s"
            ) from error
        if process.returncode:
            raise WayFailed(_complaint(errors) or f"status {process.returncode}")
        try:
            return _parsed(json.loads(output))
        except (ValueError, KeyError, TypeError) as error:
            # The output is not shown: it may hold the token.
            raise WayFailed(f"`{self._name}` printed something else than a token") from error

    def _start(self, scope: str) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                [self._name, *self._ARGUMENTS[self._name], scope],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**self._environment, "AZURE_CORE_NO_COLOR": "true"},
                # It starts others, which have to end with it.
                start_new_session=True,
            )
        except OSError as error:
            raise WayFailed(f"`{self._name}` could not be started: {error.strerror}") from error

    def _path(self) -> str | None:
        return self._environment.get("PATH")


def timed(call: Callable[[], Token], seconds: float, secrets: list[str] | None = None) -> Token:
    """The result of `call`, or `WayFailed` when it fails or takes longer than `seconds`."""
    results: list[Token | Exception] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:  # Whatever azure-identity raises, the next way is tried.
            results.append(error)

    # A thread that hangs cannot be ended, but it keeps nobody from going on.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not results:
        raise WayFailed(f"no answer within {seconds:g} s")
    if isinstance(results[0], Exception):
        message = str(results[0])
        for secret in filter(None, secrets or []):
            message = message.replace(secret, "***")
        raise WayFailed(_complaint(message)) from None
    return results[0]


def _given(credential: Any, scope: str) -> Token:
    token = credential.get_token(scope)
    return Token(token.token, time.monotonic() + token.expires_on - time.time())


def _parsed(output: Mapping[str, Any]) -> Token:
    """What `az` and `azd` print; only newer versions of `az` tell seconds since 1970."""
    text = output.get("accessToken") or output["token"]
    if "expires_on" in output:
        expires = float(output["expires_on"])
    else:
        moment = re.sub(r"Z$", "+00:00", str(output["expiresOn"]))
        # Without a zone it is local time.
        expires = datetime.fromisoformat(moment).timestamp()
    return Token(str(text), time.monotonic() + expires - time.time())


def _authority(cloud: Cloud, environment: Mapping[str, str]) -> dict[str, Any]:
    host = environment.get("AZURE_AUTHORITY_HOST") or cloud.authority
    # The public directory knows no private one.
    return {"authority": host, "disable_instance_discovery": cloud.is_private}


def _complaint(text: str) -> str:
    """The first telling line of an error, without what is secret in it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("WARNING", "Traceback"))]
    first = (telling or lines or [""])[0].replace("ERROR: ", "")
    return without_secrets(first)[:300].rstrip(".")


def _end(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.communicate()
