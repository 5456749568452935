"""The processes of a distributed job, and the variables by which each one knows its place."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Mapping
from typing import Any

from azureml_jobs.base.errors import JobError

# All instances are on this machine.
_HOST = "127.0.0.1"


def distribution_of(job: Mapping[str, Any], where: str) -> dict[str, Any] | None:
    """Return what a record keeps of how `job` is distributed; None when it is not."""
    given = job.get("distribution")
    if not given:
        return None
    resources = job.get("resources") or {}
    found = {**given, "instance_count": resources.get("instance_count") or 1}
    for key, value in found.items():
        if key.endswith("_count") and not str(value or 0).isdecimal():
            part = "resources" if key == "instance_count" else "distribution"
            raise JobError(f"{where}: {part}.{key}", f"{value} is no number", "Write one.")
    return found


def process_count(distribution: Mapping[str, Any] | None) -> int:
    """Return how many processes run the command."""
    given = distribution or {}
    instances = _count(given, "instance_count")
    kind = _kind(given)
    if kind in ("pytorch", "mpi"):
        return instances * _count(given, "process_count_per_instance")
    if kind == "tensorflow":
        return _count(given, "worker_count", instances) + _servers(given)
    # The node of Ray starts its workers itself.
    return 1


def process_variables(distribution: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """Return the variables of each process, in the order of their ranks.

    Names as in https://learn.microsoft.com/azure/machine-learning/how-to-train-distributed-gpu
    """
    if not distribution:
        return [{}]
    count, instances = process_count(distribution), _count(distribution, "instance_count")
    per_instance = -(-count // instances)
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server((_HOST, 0))) for _ in range(count + 1)]
        ports = [probe.getsockname()[1] for probe in probes]
    kind, found = _kind(distribution), []
    for rank in range(count):
        node, local_rank = divmod(rank, per_instance)
        variables = {
            "MASTER_ADDR": _HOST,
            "MASTER_PORT": str(ports[0]),
            "WORLD_SIZE": str(count),
            "AZUREML_NODE_COUNT": str(instances),
            "RANK": str(rank),
            "LOCAL_RANK": str(local_rank),
            "NODE_RANK": str(node),
        }
        if kind == "mpi":
            variables |= _mpi(variables, per_instance)
        elif kind == "tensorflow":
            variables["TF_CONFIG"] = _tensorflow(rank, ports[1:], _servers(distribution))
        elif kind == "ray":
            variables["RAY_ADDRESS"] = f"{_HOST}:{distribution.get('port') or ports[1]}"
        found.append(variables)
    return found


def shell_command(
    distribution: Mapping[str, Any] | None, variables: Mapping[str, str], command: str
) -> str:
    """Return what the shell of a process runs: with Ray, its head node starts before `command`."""
    given = distribution or {}
    if _kind(given) != "ray":
        return command
    port = variables["RAY_ADDRESS"].rpartition(":")[2]
    arguments = [f"--head --port={port}"]
    if given.get("include_dashboard") is not None:
        arguments.append(f"--include-dashboard={str(given['include_dashboard']).lower()}")
    if given.get("dashboard_port"):
        arguments.append(f"--dashboard-port={given['dashboard_port']}")
    arguments.append(str(given.get("head_node_additional_args") or ""))
    return f"ray start {' '.join(arguments)} || exit\n{command}"


def _kind(distribution: Mapping[str, Any]) -> str:
    return str(distribution.get("type") or "").lower()


def _count(given: Mapping[str, Any], key: str, default: int = 1) -> int:
    return max(1, int(given.get(key) or default))


def _servers(given: Mapping[str, Any]) -> int:
    return int(given.get("parameter_server_count") or 0)


def _mpi(variables: Mapping[str, str], local_size: int) -> dict[str, str]:
    """Return what Open MPI and Azure ML's launcher of it set."""
    address = variables["MASTER_ADDR"]
    return {
        "OMPI_COMM_WORLD_RANK": variables["RANK"],
        "OMPI_COMM_WORLD_SIZE": variables["WORLD_SIZE"],
        "OMPI_COMM_WORLD_LOCAL_RANK": variables["LOCAL_RANK"],
        "OMPI_COMM_WORLD_LOCAL_SIZE": str(local_size),
        "AZ_BATCH_MASTER_NODE": f"{address}:{variables['MASTER_PORT']}",
        "AZ_BATCHAI_MPI_MASTER_NODE": address,
    }


def _tensorflow(rank: int, ports: list[int], servers: int) -> str:
    """Return `TF_CONFIG` of one task; parameter servers come after the workers."""
    addresses = [f"{_HOST}:{port}" for port in ports]
    workers = len(addresses) - servers
    cluster = {"worker": addresses[:workers]}
    if servers:
        cluster["ps"] = addresses[workers:]
    kind, index = ("worker", rank) if rank < workers else ("ps", rank - workers)
    task = {"type": kind, "index": index}
    return json.dumps({"cluster": cluster, "task": task, "environment": "cloud"})
