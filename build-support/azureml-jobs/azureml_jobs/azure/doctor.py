"""Check what a submission needs, and print one line for each check, with what to do about it."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from functools import cached_property
from importlib import metadata
from pathlib import Path

from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.console import GREEN, RED, YELLOW, coloured
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import CONFIG_FILE, AzureWorkspace

_PACKAGES = ("azure-ai-ml", "azure-identity")
_PREREQUISITES = frozenset({"sign-in", "workspace"})


class _Note(Exception):
    """Nothing is broken, but something will be missing: what, and what to do."""


def check_all(
    config: AzureWorkspace | None, login: bool, is_deep: bool, compute: str | None
) -> int:
    """Print one line for each check; return 1 when one failed.

    Without a sign-in or a workspace, what is in the workspace is left out. When `is_deep` and
    nothing failed, a small job is run, too.
    """
    if config is None:
        _print(
            "configuration", GREEN, f"{CONFIG_FILE} names no workspace: jobs run on this machine"
        )
        _print("versions", GREEN, f"Python {platform.python_version()}")
        return 0
    where = f"{config.source}: {config.name} in {config.resource_group}, {config.cloud}"
    _print("configuration", GREEN, where)
    failed: set[str] = set()
    checks = _Checks(config, login)
    for name, check in checks.all().items():
        if failed & _PREREQUISITES and name != "versions":
            continue
        if not _passes(name, check):
            failed.add(name)
    if is_deep and not failed:
        from azureml_jobs.azure.deep_check import DeepCheck

        with tempfile.TemporaryDirectory() as folder:
            deep = DeepCheck(checks.workspace, compute, Path(folder)).all()
            failed = set() if all(_passes(*each) for each in deep.items()) else {"deep"}
    return 1 if failed else 0


def _passes(name: str, check: Callable[[], str]) -> bool:
    """Print the line of a check; return whether it did not fail."""
    try:
        _print(name, GREEN, check())
    except _Note as note:
        _print(name, YELLOW, str(note))
    except JobError as error:
        _print(name, RED, _one_line(error))
        return False
    return True


class _Checks:
    def __init__(self, config: AzureWorkspace, login: bool) -> None:
        self._config = config
        self._login = login

    @cached_property
    def workspace(self) -> ConnectedWorkspace:
        return ConnectedWorkspace(self._config, self._login)

    def all(self) -> dict[str, Callable[[], str]]:
        return {
            "sign-in": self._sign_in,
            "workspace": self._details,
            "compute": self._compute,
            "storage": self._storage,
            "registry": self._registry,
            "versions": self._versions,
        }

    def _sign_in(self) -> str:
        sign_in = self.workspace.sign_in
        sign_in.token(self.workspace.cloud.management_scope)
        return "; ".join([f"by {sign_in.credential_name}", *sign_in.warnings])

    def _details(self) -> str:
        details = self.workspace.details
        return f"{details['name']} in {details.get('location', 'an unknown region')}"

    def _compute(self) -> str:
        found = [
            f"{each['name']} ({each['properties'].get('provisioningState')})"
            for each in self.workspace.pages("computes")
        ]
        if not found:
            raise _Note(
                "the workspace has none. Make a cluster in the studio, below Compute, or submit "
                "without `compute:` to serverless compute"
            )
        return ", ".join(found)

    def _storage(self) -> str:
        from azureml_jobs.azure.datastores import Datastores

        container = Datastores(self.workspace).open()
        next(iter(container.list("azureml/")), None)
        return container.address

    def _registry(self) -> str:
        from azureml_jobs.azure.registry import NoRegistry, Registry

        registry = Registry(self.workspace)
        try:
            registry.refresh_token()
        except NoRegistry as error:
            raise _Note("none yet. Azure ML makes one when it first builds an image") from error
        except JobError as error:
            # Jobs run without it; only pushing images needs it.
            raise _Note(f"`--image` will not work. {_one_line(error)}") from error
        return registry.server

    def _versions(self) -> str:
        installed = [f"{name} {metadata.version(name)}" for name in _PACKAGES]
        return ", ".join([*installed, f"Python {platform.python_version()}"])


def _one_line(error: JobError) -> str:
    """Return an error on one line: its lists become parts of it."""
    remedy = f" {' '.join(error.remedy.split())}" if error.remedy else ""
    what = "; ".join(line.strip() for line in error.what.splitlines()).replace(":; ", ": ")
    return f"{error.where}: {what}.{remedy}"


def _print(name: str, colour: str, text: str) -> None:
    mark = {GREEN: "ok", YELLOW: "note", RED: "failed"}[colour]
    print(f"{coloured(f'{mark:<6}', colour)}  {name:<13}  {text}")
