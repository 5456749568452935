"""Check what a submission needs, one line each, with what to do about it."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from importlib import metadata

from azureml_jobs.azure.connected import ConnectedWorkspace
from azureml_jobs.base.console import GREEN, RED, YELLOW, coloured
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import CONFIG_FILE, AzureWorkspace

_PACKAGES = ("azure-ai-ml", "azure-identity")
_PREREQUISITES = frozenset({"sign-in", "workspace"})
Check = Callable[[], str]


class _Lacking(Exception):
    """Nothing is broken, and something will be missed: what, and what to do."""


def examine(place: AzureWorkspace | None, login: bool) -> int:
    """Print one line for each check; 1 when one failed.

    Without a sign-in or a workspace, what is in the workspace is left out.
    """
    if place is None:
        _line("configuration", GREEN, f"{CONFIG_FILE} names no workspace: jobs run on this machine")
        _line("versions", GREEN, f"Python {platform.python_version()}")
        return 0
    _line(
        "configuration",
        GREEN,
        f"{place.source}: {place.name} in {place.resource_group}, {place.cloud}",
    )
    failed: set[str] = set()
    for name, check in _checks(place, login):
        if failed & _PREREQUISITES and name != "versions":
            continue
        try:
            _line(name, GREEN, check())
        except _Lacking as lacking:
            _line(name, YELLOW, str(lacking))
        except JobError as error:
            failed.add(name)
            _line(name, RED, _told(error))
    return 1 if failed else 0


def _checks(place: AzureWorkspace, login: bool) -> Iterator[tuple[str, Check]]:
    connected: list[ConnectedWorkspace] = []

    def sign_in() -> str:
        connected.append(ConnectedWorkspace(place, login))
        connected[0].sign_in.token(connected[0].workspace.cloud.management_scope)
        failed = "".join(f"; {warning}" for warning in connected[0].sign_in.warnings)
        return f"by {connected[0].sign_in.credential_name}{failed}"

    def workspace() -> str:
        details = connected[0].workspace.details
        return f"{details['name']} in {details.get('location', 'an unknown region')}"

    def compute() -> str:
        found = [
            f"{each['name']} ({each['properties'].get('provisioningState')})"
            for each in connected[0].workspace.pages("computes")
        ]
        if not found:
            raise _Lacking(
                "the workspace has none. Make a cluster in the studio, below Compute, or submit "
                "without `compute:` to serverless compute"
            )
        return ", ".join(found)

    def storage() -> str:
        from azureml_jobs.azure.datastores import Datastores

        container = Datastores(connected[0].workspace).default()
        next(iter(container.list("azureml/")), None)
        return container.address

    def registry() -> str:
        from azureml_jobs.azure.registry import NoRegistry, Registry

        found = Registry(connected[0].workspace, connected[0].sign_in)
        try:
            found.refresh_token()
        except NoRegistry as error:
            raise _Lacking("none yet. Azure ML makes one when it first builds an image") from error
        except JobError as error:
            # Jobs run without it; only who pushes images is in need of it.
            raise _Lacking(f"`--image` will not work. {_told(error)}") from error
        return found.server

    yield "sign-in", sign_in
    yield "workspace", workspace
    yield "compute", compute
    yield "storage", storage
    yield "registry", registry
    yield "versions", _versions


def _versions() -> str:
    installed = [f"{name} {metadata.version(name)}" for name in _PACKAGES]
    return ", ".join([*installed, f"Python {platform.python_version()}"])


def _told(error: JobError) -> str:
    """An error on one line: its lists become parts of it."""
    remedy = f" {' '.join(error.remedy.split())}" if error.remedy else ""
    what = "; ".join(line.strip() for line in error.what.splitlines()).replace(":; ", ": ")
    return f"{error.where}: {what}.{remedy}"


def _line(name: str, colour: str, text: str) -> None:
    mark = {GREEN: "ok", YELLOW: "note", RED: "failed"}[colour]
    print(f"{coloured(f'{mark:<6}', colour)}  {name:<13}  {text}")
