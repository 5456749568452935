"""Walk through all that a workspace is relied on for, by a job of three seconds.

docs/azure-assumptions.md lists what nobody promises. The first person with a subscription sees here
which of it holds.
"""

from __future__ import annotations

import io
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azureml_jobs.azure import run_history, sdk
from azureml_jobs.azure.datastores import Datastores
from azureml_jobs.azure.download import download
from azureml_jobs.azure.earlier_snapshots import EarlierSnapshots
from azureml_jobs.azure.jobs import AzureJobs
from azureml_jobs.azure.stream import stream
from azureml_jobs.azure.submission import Submission
from azureml_jobs.azure.submit import TOKEN_PROPERTY
from azureml_jobs.azure.upload import send_data, send_snapshot
from azureml_jobs.azure.workspace import ConnectedWorkspace, job_of
from azureml_jobs.base.digest import content_digest
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.jobfile.document import dump_job_file

_EXPERIMENT = "doctor"
_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
_SCRIPT = "sleep 3; cat code.txt ${{inputs.data}}; cp code.txt ${{outputs.made}}/made.txt\n"


class DeepCheck:
    """`folder` is an empty one. Each check needs those before it."""

    def __init__(self, workspace: ConnectedWorkspace, compute: str | None, folder: Path) -> None:
        self._workspace = workspace
        self._compute = compute
        self._folder = folder
        self._mark = secrets.token_hex(6)
        self._name = f"doctor-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{self._mark}"
        self._datastores = Datastores(workspace)
        (folder / "code").mkdir()
        for name in ("code/code.txt", "data.txt"):
            (folder / name).write_text(f"{self._mark} {name}\n", encoding="utf-8")

    def all(self) -> dict[str, Callable[[], str]]:
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

    def _send_code(self) -> str:
        file = self._folder / "code/code.txt"
        digest = content_digest([(file.name, file.read_bytes(), False)])
        earlier = EarlierSnapshots(self._folder, self._workspace.config)
        sent = send_snapshot(self._datastores, earlier, file.parent, digest)
        self._code = sent.reference
        return "found by its content" if sent.was_there else f"{sent.files} file sent"

    def _send_data(self) -> str:
        self._data = send_data(self._datastores, self._folder / "data.txt").reference
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
        if compute := self._compute or self._cluster():
            document["compute"] = compute
        file = self._folder / "job.yaml"
        file.write_text(dump_job_file(document), encoding="utf-8")
        sdk.import_sdk()
        entity = sdk.load(file, self._submission(), {TOKEN_PROPERTY: self._mark})
        made = sdk.create(entity, self._submission(), self._workspace)
        return made.link or self._name

    def _cluster(self) -> str:
        """Return the first cluster, or nothing: then the job goes to serverless compute."""
        for each in self._workspace.pages("computes"):
            if each["properties"].get("computeType") == "AmlCompute":
                return str(each["name"])
        return ""

    def _submission(self) -> Submission:
        name, workspace = self._name, self._workspace.config
        return Submission("command job", name, self._mark, _EXPERIMENT, workspace)

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
