"""Where a job finds its code and data, on this machine or mounted in its container."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.docker import container as docker
from azureml_jobs.docker.container import Container, Mount
from azureml_jobs.local.folder import JobFolder, shared_folders
from azureml_jobs.local.inputs import ResolvedInput
from azureml_jobs.local.runtimes import Runtime


def output_paths(job: Mapping[str, Any], folder: JobFolder) -> dict[str, Path]:
    """Return what `${{outputs.<name>}}` stands for: a folder, or a file of its name in one.

    Leaves out Azure ML's `default` output: it is what a job writes to `./outputs` and `./logs`,
    whether the job file names it or not.
    """
    found = {}
    for name, given in (job.get("outputs") or {}).items():
        if name != "default":
            is_file = isinstance(given, Mapping) and given.get("type") == "uri_file"
            found[str(name)] = folder.outputs / str(name) / (str(name) if is_file else "")
    return found


def data_paths(
    folder: JobFolder,
    inputs: Mapping[str, ResolvedInput],
    outputs: Mapping[str, Path],
    in_container: bool,
) -> dict[str, str]:
    """Return where the command finds data, by `inputs.<name>` and `outputs.<name>`."""
    paths = {}
    for name, given in inputs.items():
        if given.kind == "path":
            there = docker.input_path(folder.name, name, Path(given.value))
            paths[f"inputs.{name}"] = there if in_container else given.value
    for name, path in outputs.items():
        if in_container:
            inner = path.relative_to(folder.outputs / name)
            path = Path(docker.output_folder(folder.name, name), inner)
        paths[f"outputs.{name}"] = str(path)
    return paths


def job_container(
    folder: JobFolder,
    runtime: Runtime,
    inputs: Mapping[str, ResolvedInput],
    outputs: Mapping[str, Path],
    paths: Mapping[str, str],
    arguments: Sequence[str],
) -> Container:
    """Return the container of the job in `folder`, which finds its data at `paths`."""
    work = docker.code_folder(folder.name)
    mounts = [Mount(str(folder.work), work)]
    for name, given in inputs.items():
        if given.kind == "path":
            # As in Azure ML, so that a job that changes its data fails here, too.
            read_only = given.mode != "rw_mount"
            mounts.append(Mount(given.value, paths[f"inputs.{name}"], read_only))
    for name in outputs:
        mounts.append(Mount(str(folder.outputs / name), docker.output_folder(folder.name, name)))
    return container(folder.path, work, runtime, mounts, arguments)


def container(
    folder: Path, work: str, runtime: Runtime, mounts: Sequence[Mount], arguments: Sequence[str]
) -> Container:
    """Return a container for the job or script in `folder`, with the workspace's shared folders."""
    if runtime.image is None:
        raise ValueError("the runtime is not docker")
    # MLflow stores absolute paths in its folder, so that it has the same path in the container.
    mlruns, home = shared_folders(folder.parent.parent)
    shared = [Mount(str(mlruns), str(mlruns)), Mount(str(home), docker.HOME)]
    return Container(
        # Another clone of the repository may have a job of the same name.
        name=f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}",
        image=runtime.image.reference,
        image_id=runtime.image.id,
        work=work,
        user=runtime.user,
        mounts=[*mounts, *shared],
        arguments=[*runtime.arguments, *arguments],
    )


def resource_arguments(job: Mapping[str, Any], job_file: str) -> list[str]:
    """Return the arguments of `docker run` in `resources`. Raises `JobError` for open quotes."""
    resources = job.get("resources") or {}
    given = resources.get("docker_args") or []
    try:
        own = shlex.split(given) if isinstance(given, str) else [str(each) for each in given]
    except ValueError as error:
        raise JobError(
            f"{job_file}: resources.docker_args",
            f"it cannot be split into arguments ({error})",
            "Write them as for a shell, such as `--ipc=host --ulimit memlock=-1`.",
        ) from error
    return [f"--shm-size={resources.get('shm_size') or docker.DEFAULT_SHM_SIZE}", *own]
