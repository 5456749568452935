"""Distributed jobs: their variables, and whole jobs in real processes."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.local.conftest import running
from azureml_jobs.local.distribution import distribution_of, process_variables, shell_command
from azureml_jobs.local.download import artifacts
from azureml_jobs.local.folder import JobFolder

_PLACE = ("RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE")


def distributed(instances: Any = 1, **distribution: Any) -> dict[str, Any]:
    job = {"distribution": distribution, "resources": {"instance_count": instances}}
    return distribution_of(job, "job.yaml") or {}


@pytest.mark.parametrize(
    "distribution, places",
    [
        pytest.param(distributed(type="PyTorch"), ["0 0 0 1"], id="one process by default"),
        pytest.param(
            distributed(2, type="pytorch", process_count_per_instance="2"),
            ["0 0 0 4", "1 1 0 4", "2 0 1 4", "3 1 1 4"],
            id="two instances of two processes",
        ),
        pytest.param(distributed(2, type="mpi"), ["0 0 0 2", "1 0 1 2"], id="mpi"),
        pytest.param(
            distributed(2, type="tensorflow"), ["0 0 0 2", "1 0 1 2"], id="a worker per instance"
        ),
        pytest.param(distributed(3, type="ray"), ["0 0 0 1"], id="one node of ray"),
    ],
)
def test_each_process_knows_its_place(distribution: dict[str, Any], places: list[str]) -> None:
    found = process_variables(distribution)
    assert [" ".join(each[name] for name in _PLACE) for each in found] == places
    assert {each["MASTER_ADDR"] for each in found} == {"127.0.0.1"}
    assert len({each["MASTER_PORT"] for each in found}) == 1


def test_names_a_count_that_is_no_number() -> None:
    with pytest.raises(JobError, match=r"job.yaml: resources.instance_count: .* is no number"):
        distributed("${{parent.inputs.nodes}}", type="mpi")


def test_mpi_has_the_variables_of_open_mpi() -> None:
    _, last = process_variables(distributed(type="mpi", process_count_per_instance=2))
    own = {key: value for key, value in last.items() if key.startswith(("OMPI_", "AZ_BATCH"))}
    assert own == {
        "OMPI_COMM_WORLD_RANK": "1",
        "OMPI_COMM_WORLD_SIZE": "2",
        "OMPI_COMM_WORLD_LOCAL_RANK": "1",
        "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
        "AZ_BATCH_MASTER_NODE": f"127.0.0.1:{last['MASTER_PORT']}",
        "AZ_BATCHAI_MPI_MASTER_NODE": "127.0.0.1",
    }


def test_tensorflow_has_workers_and_then_parameter_servers() -> None:
    found = process_variables(
        distributed(type="tensorflow", worker_count=2, parameter_server_count=1)
    )
    configurations = [json.loads(each["TF_CONFIG"]) for each in found]
    cluster = configurations[0]["cluster"]
    assert all(each["cluster"] == cluster for each in configurations)
    assert [len(cluster["worker"]), len(cluster["ps"])] == [2, 1]
    assert len({*cluster["worker"], *cluster["ps"]}) == 3
    assert [each["task"] for each in configurations] == [
        {"type": "worker", "index": 0},
        {"type": "worker", "index": 1},
        {"type": "ps", "index": 0},
    ]


def test_the_head_node_of_ray_starts_before_the_command() -> None:
    ray = distributed(type="ray", port=6379, head_node_additional_args="--num-cpus=1")
    (variables,) = process_variables(ray)
    assert variables["RAY_ADDRESS"] == "127.0.0.1:6379"
    assert shell_command(ray, variables, "python main.py").splitlines() == [
        "ray start --head --port=6379 --num-cpus=1 || exit",
        "python main.py",
    ]


# What `torch.distributed.init_process_group(init_method="env://")` does: the first process listens,
# all others connect to it. Then an all-reduce of the ranks.
RENDEZVOUS = """
import os, socket, sys, time
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
address = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if rank == 0:
    with socket.create_server(address) as server:
        others = [server.accept()[0] for _ in range(size - 1)]
    total = sum(other.recv(1)[0] for other in others)
    for other in others:
        other.sendall(bytes([total]))
else:
    deadline = time.monotonic() + 10
    while True:
        try:
            other = socket.create_connection(address)
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    other.sendall(bytes([rank]))
    total = other.recv(1)[0]
print("node", os.environ["NODE_RANK"], "sum", total)
print("to err", file=sys.stderr)
"""


def meeting(python: str = sys.executable) -> str:
    """Return the command of a process that meets the others."""
    return f"{shlex.quote(python)} -c {shlex.quote(RENDEZVOUS)}"


def logs(folder: JobFolder) -> dict[str, list[str]]:
    """Return the lines of each log, which come from two streams."""
    files = folder.log.parent.iterdir()
    return {path.name: sorted(path.read_text().splitlines()) for path in files}


def test_two_instances_of_two_processes_meet(jobs: Any) -> None:
    folder = jobs.new(
        meeting(), distribution=distributed(2, type="pytorch", process_count_per_instance=2)
    )
    status, out, err = jobs.run(folder)
    assert (status, folder.read().status) == (0, "Completed"), err
    lines = [f"[{rank}] node {rank // 2} sum 6" for rank in range(4)]
    printed = [line for line in out.decode().splitlines() if line.startswith("[")]
    assert sorted(printed) == lines
    expected = {
        f"std_log_process_{rank}.txt": [f"node {rank // 2} sum 6", "to err"] for rank in range(4)
    }
    marked = sorted([*lines, *(f"[{rank}] to err" for rank in range(4))])
    assert logs(folder) == {**expected, "std_log.txt": marked}
    assert [name for name, _ in artifacts(folder)] == [f"user_logs/{name}" for name in expected]
    assert running(folder) == []


def test_a_process_that_fails_ends_the_others(jobs: Any) -> None:
    folder = jobs.new(
        "trap 'touch cleaned; exit' TERM; echo up; "
        "while [ $RANK = 1 -a ! -e ../stop ]; do sleep 0.02; done; "
        "[ $RANK = 1 ] && exit 3; touch ../stop; sleep 60 & wait",
        distribution=distributed(type="pytorch", process_count_per_instance=3),
    )
    status, out, _ = jobs.run(folder)
    record = folder.read()
    assert (status, record.status, record.exit_code) == (3, "Failed", 3)
    assert record.error == "process 1 of 3 ended with exit status 3"
    assert "[1] up\n" in out.decode()
    assert (folder.work / "cleaned").exists()
    assert running(folder) == []


def test_ctrl_c_ends_all_processes(jobs: Any) -> None:
    folder = jobs.new(
        "trap 'touch cleaned$RANK; exit 5' INT; echo up; sleep 60 & wait",
        distribution=distributed(2, type="mpi"),
    )
    process = jobs.start(folder)
    assert sorted(process.stdout.readline() for _ in range(2)) == [b"[0] up\n", b"[1] up\n"]
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert sorted(path.name for path in folder.work.glob("cleaned*")) == ["cleaned0", "cleaned1"]
    assert folder.read().status == "Canceled"
    assert running(folder) == []


def test_lines_of_processes_do_not_mix(jobs: Any) -> None:
    # Longer than a pipe takes at once, the last one without its end.
    folder = jobs.new(
        "for i in $(seq 20); do printf '%010000d\\n' $RANK; done; printf end",
        distribution=distributed(type="pytorch", process_count_per_instance=3),
    )
    _, out, _ = jobs.run(folder)
    own = {rank: [*20 * [f"{rank:010000}"], "end"] for rank in range(3)}
    marked = sorted(f"[{rank}] {line}" for rank, lines in own.items() for line in lines)
    assert sorted(out.decode().splitlines()[:63]) == marked
    assert (folder.log.parent / "std_log_process_1.txt").read_text() == "\n".join(own[1])
