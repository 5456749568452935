"""Find what an earlier local job left, by Azure ML's addresses for it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import suggestion
from azureml_jobs.local.download import artifacts
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.state import current_record
from azureml_jobs.local.workspace import LocalWorkspace

# Azure ML calls logs and artifacts by both names.
_ARTIFACTS = ("artifacts", "default")
_ADDRESS = re.compile(r"azureml://jobs/([^/]+)/outputs/([^/]+)(?:/paths)?(?:/(.*))?")
_RUN = re.compile(r"runs:/([^/]+)()/(.+)")


def job_output(address: str, root: Path) -> Path:
    """Return the file or folder that the address names in the local workspace `root`.

    Raises `JobError` when there is no such job or output, and for a job that has not ended.
    """
    match = _ADDRESS.fullmatch(address) or _RUN.fullmatch(address)
    if match is None:
        raise JobError(
            address,
            "this is no address of a job's output",
            "Write `azureml://jobs/NAME/outputs/OUTPUT/paths/PATH`, without the path for all of "
            "an output.",
        )
    folder = LocalWorkspace(root).job(match[1])
    output, path = match[2] or _ARTIFACTS[0], (match[3] or "").strip("/")
    record = current_record(folder)
    if not record.has_ended:
        raise JobError(
            address,
            f"the job has not ended yet, its status is {record.status}",
            f"Wait for it: `./pants run :aml -- jobs stream {record.name}`.",
        )
    if output in record.outputs:
        return _below(address, Path(record.outputs[output]), path)
    if output in _ARTIFACTS:
        return _artifact(address, folder, path)
    valid = [*record.outputs, _ARTIFACTS[0]]
    raise JobError(address, f"the job has no output `{output}`", suggestion(output, valid))


def _below(address: str, output: Path, path: str) -> Path:
    """Return what is at `path` of an output, which is a folder or the only file of one."""
    folder = output if output.is_dir() else output.parent
    found = folder / path if path else output
    if ".." not in Path(path).parts and os.path.exists(found):
        return found
    raise JobError(address, "the job left nothing there", f"Look at {folder}.")


def _artifact(address: str, folder: JobFolder, path: str) -> Path:
    """Return the file or folder of this name; logs and artifacts are in several folders."""
    found = dict(artifacts(folder))
    for name, file in found.items():
        if f"{name}/".startswith(f"{path}/"):
            return Path(str(file).removesuffix(name[len(path) :]))
    valid = sorted({name.partition("/")[0] for name in found})
    raise JobError(
        address,
        f"the job has no artifact `{path}`" if path else "the address names no artifact",
        suggestion(path, valid, "The job left no artifacts.").replace("Valid here", "It has"),
    )
