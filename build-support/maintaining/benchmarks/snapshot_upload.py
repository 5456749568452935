"""Measure the upload of a snapshot to Azure ML, in bytes and time, next to azure-ai-ml.

README.md in this folder says how to run it and what it measures.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JOB = """\
command: python m0.py
code: ./code
environment: {image: 'python:3.11'}
compute: azureml:cpu-cluster
experiment_name: benchmark
"""
STEPS = ("first", "unchanged", "one edited")
STORAGE_LIBRARY = "azure-storage-blob"
CLIENTS = ("ours", "azure-ai-ml", STORAGE_LIBRARY)
# As many as our client has at once.
WORKERS = 32


@dataclass
class Cost:
    """The cost of one submission; `seconds` end when the service answers that it has the job."""

    seconds: float
    processor: float
    up: int
    down: int


class Relay:
    """Forwards connections to a port of this machine, and counts their bytes."""

    def __init__(self, port: int) -> None:
        self.up = self.down = 0
        self._target = port
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(("127.0.0.1", self._target))
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for ends, is_up in (((near, far), True), ((far, near), False)):
                threading.Thread(target=self._pass, args=(*ends, is_up), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_up: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                with self._lock:
                    self.up += len(data) if is_up else 0
                    self.down += 0 if is_up else len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def service(slowness: float) -> Iterator[dict[str, str]]:
    """Run the stand-in in its own process; return the variables with which clients find it."""
    with subprocess.Popen(
        [sys.executable, __file__, "--serve", str(slowness)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdout is None:
            raise RuntimeError("no output")
        try:
            yield json.loads(process.stdout.readline())
        finally:
            # It ends when its input ends.
            process.communicate()


def serve(slowness: float) -> None:
    from azureml_standin.http import faults
    from azureml_standin.service import running_service

    with running_service(jobs_at_once=0) as running:
        running.recording.is_kept = False
        if slowness:
            running.faults.add(faults.SLOW, times=None, seconds=slowness)
        print(json.dumps(running.client.by_proxy("secret")), flush=True)
        sys.stdin.read()


def write_snapshot(folder: Path, files: int, size: int, large: int) -> None:
    chosen = random.Random(1)
    for number in range(files - 1):
        path = folder / f"code/package{number % 50}/m{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chosen.randbytes(size // 2).hex().encode())
    (folder / "code/resource.bin").write_bytes(chosen.randbytes(large))
    (folder / "job.yaml").write_text(JOB)


def edit(folder: Path, text: str) -> None:
    with open(folder / "code/package0/m0.py", "a") as file:
        file.write(f"{text}\n")


def submit(client: str, folder: Path) -> None:
    """Submit once and print the seconds, without the time of imports."""
    from azureml_jobs.azure import sdk
    from azureml_jobs.azure.datastores import Datastores
    from azureml_jobs.azure.earlier_snapshots import EarlierSnapshots
    from azureml_jobs.azure.upload import send_snapshot
    from azureml_jobs.azure.workspace import ConnectedWorkspace
    from azureml_jobs.base.workspace_config import configured_workspace
    from azureml_jobs.bundle.data import data_digest

    sdk.import_sdk()
    from azure.ai.ml import load_job

    config = configured_workspace(folder)
    if config is None:
        raise RuntimeError("no workspace is named")
    workspace = ConnectedWorkspace(config)
    name = f"benchmark-{time.time_ns()}"
    start, processor = time.monotonic(), time.process_time()
    code = None
    if client == "ours":
        digest = data_digest(folder / "code").sha256
        earlier = EarlierSnapshots(folder / "local", config)
        datastores = Datastores(workspace)
        code = send_snapshot(datastores, earlier, folder / "code", digest).id
    elif client == STORAGE_LIBRARY:
        code = send_by_storage_library(workspace, folder / "code", name)
    job: Any = load_job(folder / "job.yaml")
    job.name, job.code = name, code or job.code
    sdk.call(workspace, name, "the job", lambda client: client.jobs.create_or_update(job))
    print(json.dumps([time.monotonic() - start, time.process_time() - processor]))


def send_by_storage_library(workspace: Any, folder: Path, name: str) -> str:
    """Send the snapshot with azure-storage-blob in place of our client; return its id."""
    from azure.core.pipeline.transport import RequestsTransport
    from azure.storage.blob import ContainerClient, ContentSettings

    # These come with azure-core.
    from requests import Session  # pants: no-infer-dep
    from requests.adapters import HTTPAdapter  # pants: no-infer-dep

    path = ("codes", name, "versions", "1")
    asked = {"pendingUploadType": "TemporaryBlobReference"}
    reference = workspace.post(*path, "startPendingUpload", body=asked)[
        "blobReferenceForConsumption"
    ]
    session = Session()
    session.mount("https://", HTTPAdapter(pool_connections=WORKERS, pool_maxsize=WORKERS))
    container = ContainerClient.from_container_url(
        str(reference["credential"]["sasUri"]),
        transport=RequestsTransport(session=session, session_owner=False),
    )

    def send(file: Path) -> None:
        content = file.read_bytes()
        digest = bytearray(hashlib.md5(content).digest())
        container.upload_blob(
            f"code/{file.relative_to(folder)}",
            content,
            overwrite=True,
            content_settings=ContentSettings(content_md5=digest),
        )

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(send, (file for file in folder.rglob("*") if file.is_file())))
    address = f"{str(reference['blobUri']).rstrip('/')}/code"
    workspace.put(*path, body={"properties": {"codeUri": address, "isAnonymous": True}})
    return str(workspace.asset_id("codes", name, "versions", "1"))


def measured(client: str, folder: Path, variables: dict[str, str], is_counted: bool) -> Cost:
    # As a proxy it answers for Azure's own hosts, so that names have their real lengths.
    port = int(variables["HTTPS_PROXY"].rpartition(":")[2])
    relay = Relay(port) if is_counted else None
    if relay is not None:
        variables = {
            key: value.replace(f"127.0.0.1:{port}", f"127.0.0.1:{relay.port}")
            for key, value in variables.items()
        }
    done = subprocess.run(
        [sys.executable, __file__, "--submit", client, str(folder)],
        env={**os.environ, **variables, "AZUREML_JOBS_PATIENCE": "300"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, processor = json.loads(done.stdout.splitlines()[-1])
    return Cost(seconds, processor, relay.up if relay else 0, relay.down if relay else 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--size", type=int, default=4000, help="size of each file, in bytes")
    parser.add_argument(
        "--large", type=int, default=30_000_000, help="size of one more file, in bytes"
    )
    parser.add_argument(
        "--slowness", type=float, default=0.0, help="delay of every answer, in seconds"
    )
    parser.add_argument("--times", type=int, default=1, help="how often to measure everything")
    parser.add_argument(
        "--time", action="store_true", help="measure only the time of the first upload"
    )
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--submit", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
    elif options.submit:
        submit(options.submit[0], Path(options.submit[1]))
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    print(f"{'client':<12} {'step':<11} {'sent':>12} {'received':>12} {'seconds':>8} {'CPU':>6}")
    for turn in range(options.times):
        for client in CLIENTS:
            with service(options.slowness) as variables, tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                write_snapshot(folder, options.files, options.size, options.large)
                for step in STEPS[: 1 if options.time else None]:
                    if step == "one edited":
                        edit(folder, f"edited {turn}")
                    cost = measured(client, folder, variables, not options.time)
                    print(
                        f"{client:<12} {step:<11} {cost.up:>12,} {cost.down:>12,} "
                        f"{cost.seconds:>8.1f} {cost.processor:>6.1f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
