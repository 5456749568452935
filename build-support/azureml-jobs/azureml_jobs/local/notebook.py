"""Create and run a notebook server in a container."""

from __future__ import annotations

import http.client
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.docker.container import Mount
from azureml_jobs.docker.jupyter import server_command, server_environment
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.mounts import container
from azureml_jobs.local.output import open_standard_descriptors, write_message
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.script import Script, experiment_of, script_status
from azureml_jobs.local.supervise import Supervision
from azureml_jobs.local.workspace import LocalWorkspace
from azureml_jobs.protocol import NotebookRequest

_HOST = "127.0.0.1"
_WORKSPACE = "/workspace"
_POLL_SECONDS = 0.2
# Jupyter saves open notebooks by itself; its kernels get a moment to end.
_GRACE_SECONDS = 10.0


def create_notebook(
    request: NotebookRequest, repository: Path, runtime: Runtime, port: int, token: str
) -> Path:
    """Write what the server runs on into a new folder of the local workspace.

    `notebooks`, `data` and the source root are the repository's own folders: the server and the
    user see each other's edits at once.
    """
    sources = request.source_root or "src"
    folders = dict.fromkeys(("notebooks", "data", sources))

    def write(folder: Path) -> None:
        (folder / "code").mkdir()
        for name in folders:
            (repository / name).mkdir(parents=True, exist_ok=True)
        mounts = [Mount(str(repository / name), f"{_WORKSPACE}/{name}") for name in folders]
        published = f"--publish={_HOST}:{port}:{port}"
        arguments = [published, *request.options.run_arguments]
        Script(
            server_command(port, _WORKSPACE),
            container=container(folder, _WORKSPACE, runtime, mounts, arguments).as_data(),
            experiment_name=experiment_of(request.address),
            environment_variables=server_environment(token, f"{_WORKSPACE}/{sources}"),
            url=f"http://{_HOST}:{port}/lab?token={token}",
        ).write(folder)

    workspace = LocalWorkspace(repository / LOCAL_FOLDER)
    return workspace.new_script_folder("jupyter", write)


def execute_notebook(folder: Path, grace: float = _GRACE_SECONDS) -> int:
    """Run the server in `folder` until Ctrl-C, its regular end; then remove the folder."""
    open_standard_descriptors()
    folder = folder.absolute()
    script = Script.read(folder)
    spec = script.process_spec(folder)
    try:
        with Interruptions() as interruptions:
            # In its own session, because Jupyter would ask after Ctrl-C whether to shut down.
            process = spec.start(stdin=subprocess.DEVNULL, start_new_session=True)
            threading.Thread(target=_print_url, args=(script.url, process), daemon=True).start()
            ended = Supervision(
                [process],
                interruptions,
                send_signal=lambda signum: process.send_signal(signal.SIGTERM),
                kill=lambda: spec.kill(process.pid),
                grace=grace,
            ).wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if ended.signalled == signal.SIGINT else script_status(spec, ended)


def _print_url(url: str, process: subprocess.Popen[bytes]) -> None:
    """Print the server's address as soon as it answers."""
    port = int(url.partition("/lab")[0].rpartition(":")[2])
    while process.poll() is None:
        connection = http.client.HTTPConnection(_HOST, port, timeout=5)
        try:
            connection.request("GET", "/api")
            if connection.getresponse().status == 200:
                write_message(1, f"JupyterLab: {url}\nCtrl-C ends it.\n")
                return
        except (OSError, http.client.HTTPException):
            # Docker accepts connections before the server does.
            time.sleep(_POLL_SECONDS)
        finally:
            connection.close()
