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
from azureml_jobs.local.outputs import ResolvedOutput
from azureml_jobs.local.runtimes import Runtime


def host_paths(
    inputs: Mapping[str, ResolvedInput], outputs: Mapping[str, ResolvedOutput]
) -> dict[str, str]:
    """Return the paths of data on this machine, by `inputs.<name>` and `outputs.<name>`."""
    paths = {f"inputs.{name}": each.value for name, each in inputs.items() if each.kind == "path"}
    paths.update((f"outputs.{name}", str(each.path)) for name, each in outputs.items())
    return paths


def container_paths(
    job: str, inputs: Mapping[str, ResolvedInput], outputs: Mapping[str, ResolvedOutput]
) -> dict[str, str]:
    """Return the same paths in the job's container."""
    paths = {
        f"inputs.{name}": docker.input_path(job, name, Path(each.value))
        for name, each in inputs.items()
        if each.kind == "path"
    }
    for name, each in outputs.items():
        below = each.path.relative_to(each.folder)
        paths[f"outputs.{name}"] = str(Path(docker.output_folder(job, name), below))
    return paths


def job_container(
    folder: JobFolder,
    runtime: Runtime,
    inputs: Mapping[str, ResolvedInput],
    outputs: Mapping[str, ResolvedOutput],
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
    for name, output in outputs.items():
        mounts.append(Mount(str(output.folder), docker.output_folder(folder.name, name)))
    return container(folder.path, work, runtime, mounts, arguments)


def container(
    folder: Path, work: str, runtime: Runtime, mounts: Sequence[Mount], arguments: Sequence[str]
) -> Container:
    """Return a container for the job or script in `folder`, with the workspace's shared folders."""
    if runtime.image is None:
        raise ValueError("the runtime is not docker")
    root = folder.parent.parent
    # MLflow stores absolute paths in its folder, so that it has the same path in the container.
    mlruns, home = shared_folders(root)
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
