"""Check what a submission needs, and print one line for each check, with what to do about it."""

from __future__ import annotations

import io
import platform
import secrets
import tempfile
import time
from collections.abc import Callable
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from azureml_jobs.azure import run_history, sdk
from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.download import download
from azureml_jobs.azure.earlier_snapshots import EarlierSnapshots
from azureml_jobs.azure.jobs import AzureJobs
from azureml_jobs.azure.registry import NoRegistry, Registry
from azureml_jobs.azure.stream import stream
from azureml_jobs.azure.submission import Submission
from azureml_jobs.azure.submit import TOKEN_PROPERTY
from azureml_jobs.azure.upload import send_data, send_snapshot
from azureml_jobs.azure.what_ran import SDK
from azureml_jobs.azure.workspace import ConnectedWorkspace, job_of
from azureml_jobs.base.console import GREEN, RED, YELLOW, coloured
from azureml_jobs.base.digest import content_digest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.base.workspace_config import CONFIG_FILE, AzureWorkspace
from azureml_jobs.jobfile.document import dump_job_file

_PREREQUISITES = frozenset({"sign-in", "workspace"})
_EXPERIMENT = "doctor"
_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
_SCRIPT = "sleep 3; cat code.txt ${{inputs.data}}; cp code.txt ${{outputs.made}}/made.txt\n"


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
    with tempfile.TemporaryDirectory() as folder:
        checks = _Checks(config, login, compute, Path(folder))
        for name, check in checks.usual().items():
            if failed & _PREREQUISITES and name != "versions":
                continue
            if not _passes(name, check):
                failed.add(name)
        if is_deep and not failed and not all(_passes(*each) for each in checks.deep().items()):
            return 1
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
    """What a submission needs, and by a job of three seconds all that is relied on.

    docs/azure-assumptions.md lists what nobody promises. `folder` is an empty one.
    """

    def __init__(
        self, config: AzureWorkspace, login: bool, compute: str | None, folder: Path
    ) -> None:
        self._config = config
        self._login = login
        self._compute_name = compute
        self._folder = folder
        self._mark = secrets.token_hex(6)
        self._name = f"doctor-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{self._mark}"

    @cached_property
    def _workspace(self) -> ConnectedWorkspace:
        return ConnectedWorkspace(self._config, self._login)

    @cached_property
    def _datastores(self) -> Datastores:
        return Datastores(self._workspace)

    def usual(self) -> dict[str, Callable[[], str]]:
        return {
            "sign-in": self._sign_in,
            "workspace": self._details,
            "compute": self._compute,
            "storage": self._storage,
            "registry": self._registry,
            "versions": self._versions,
        }

    def deep(self) -> dict[str, Callable[[], str]]:
        """Return checks of which each needs those before it."""
        return {
            "code": self._send_code,
            "code again": self._send_code,
            "data": self._send_data,
            "job": self._make_job,
            "job again": self._find_job,
            "log": self._follow,
            "times": self._times,
            "artifacts": self._artifacts,
            "outputs": self._outputs,
            "archive": self._archive,
        }

    def _sign_in(self) -> str:
        sign_in = self._workspace.sign_in
        sign_in.token(self._workspace.cloud.management_scope)
        return "; ".join([f"by {sign_in.credential_name}", *sign_in.warnings])

    def _details(self) -> str:
        details = self._workspace.details
        return f"{details['name']} in {details.get('location', 'an unknown region')}"

    def _compute(self) -> str:
        found = [
            f"{each['name']} ({each['properties'].get('provisioningState')})"
            for each in self._workspace.pages("computes")
        ]
        if not found:
            raise _Note(
                "the workspace has none. Make a cluster in the studio, below Compute, or submit "
                "without `compute:` to serverless compute"
            )
        return ", ".join(found)

    def _storage(self) -> str:
        container = self._datastores.open()
        next(iter(container.list("azureml/")), None)
        return container.address

    def _registry(self) -> str:
        registry = Registry(self._workspace)
        try:
            registry.refresh_token()
        except NoRegistry as error:
            raise _Note("none yet. Azure ML makes one when it first builds an image") from error
        except JobError as error:
            # Jobs run without it; only pushing images needs it.
            raise _Note(f"`--image` will not work. {_one_line(error)}") from error
        return registry.server

    def _versions(self) -> str:
        installed = [f"{name} {metadata.version(name)}" for name in SDK]
        return ", ".join([*installed, f"Python {platform.python_version()}"])

    def _send_code(self) -> str:
        file = self._folder / "code/code.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{self._mark} code/code.txt\n", encoding="utf-8")
        digest = content_digest([(file.name, file.read_bytes(), False)])
        earlier = EarlierSnapshots(self._folder, self._workspace.config)
        sent = send_snapshot(self._datastores, earlier, file.parent, digest)
        self._code = sent.reference
        return "found by its content" if sent.was_there else f"{sent.files} file sent"

    def _send_data(self) -> str:
        file = self._folder / "data.txt"
        file.write_text(f"{self._mark} data.txt\n", encoding="utf-8")
        self._data = send_data(self._datastores, file).reference
        return self._data

    def _make_job(self) -> str:
        document: dict[str, Any] = {
            "type": "command",
            "experiment_name": _EXPERIMENT,
            "code": self._code,
            "command": _SCRIPT,
            "environment": {"image": _IMAGE},
            "inputs": {"data": {"type": "uri_file", "path": self._data}},
            "outputs": {"made": {"type": "uri_folder"}},
            "limits": {"timeout": 3600},
        }
        if compute := self._compute_name or self._cluster():
            document["compute"] = compute
        file = self._folder / "job.yaml"
        file.write_text(dump_job_file(document), encoding="utf-8")
        sdk.import_sdk()
        name, config = self._name, self._workspace.config
        submission = Submission("command job", name, self._mark, _EXPERIMENT, config)
        entity = sdk.load(file, submission, {TOKEN_PROPERTY: self._mark})
        link, _ = sdk.create(entity, submission, self._workspace)
        return link or name

    def _cluster(self) -> str:
        """Return the first cluster, or nothing: then the job goes to serverless compute."""
        for each in self._workspace.pages("computes"):
            if each["properties"].get("computeType") == "AmlCompute":
                return str(each["name"])
        return ""

    def _find_job(self) -> str:
        job = job_of(self._workspace, self._name)["properties"]
        if (job["properties"] or {}).get(TOKEN_PROPERTY) != self._mark:
            raise OutsideError(self._name, f"the job does not have the property {TOKEN_PROPERTY}")
        return "found by its name, with its mark"

    def _follow(self) -> str:
        log = io.BytesIO()
        status = stream(self._workspace, self._name, log)
        text = log.getvalue().decode(errors="replace")
        missing = [name for name in ("code/code.txt", "data.txt") if name not in text]
        if status or missing:
            what = f"the job ended with status {status}, its log has no {' and no '.join(missing)}"
            raise OutsideError(self._name, what)
        return "whole, and the status is 0"

    def _times(self) -> str:
        run = run_history.runs_of(self._workspace, [self._name]).get(self._name) or {}
        if not run.get("startTimeUtc"):
            raise OutsideError(self._name, "run history has no time of its start")
        return f"from {run['startTimeUtc']} to {run.get('endTimeUtc')}"

    def _artifacts(self) -> str:
        return ", ".join(run_history.artifacts_of(self._workspace, _EXPERIMENT, self._name))

    def _outputs(self) -> str:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            download(self._workspace, self._name, Path(folder, "got"), "made")
            found = Path(folder, "got/named-outputs/made/made.txt").read_text(encoding="utf-8")
        return f"made.txt has {len(found)} bytes"

    def _archive(self) -> str:
        AzureJobs(self._workspace).archive(self._name)
        return f"{self._name} is hidden in lists"


def _one_line(error: JobError) -> str:
    """Return an error on one line: its lists become parts of it."""
    remedy = f" {' '.join(error.remedy.split())}" if error.remedy else ""
    what = "; ".join(line.strip() for line in error.what.splitlines()).replace(":; ", ": ")
    return f"{error.where}: {what}.{remedy}"


def _print(name: str, colour: str, text: str) -> None:
    mark = {GREEN: "ok", YELLOW: "note", RED: "failed"}[colour]
    print(f"{coloured(f'{mark:<6}', colour)}  {name:<13}  {text}")
