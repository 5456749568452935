"""Create and run a notebook server, in a container or with virtual environments."""

from __future__ import annotations

import http.client
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from azureml_jobs.base.files import write_file
from azureml_jobs.base.loopback import LOOPBACK
from azureml_jobs.base.workspace_config import LOCAL_FOLDER
from azureml_jobs.docker.container import Mount
from azureml_jobs.docker.jupyter import server_arguments, server_command, settings
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.mounts import container
from azureml_jobs.local.output import write_message
from azureml_jobs.local.run_environment import ensure_packages_venv, run_environment
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.script import Script, experiment_of
from azureml_jobs.local.supervise import Supervision
from azureml_jobs.local.workspace import LocalWorkspace
from azureml_jobs.protocol import NotebookRequest

_WORKSPACE = "/workspace"
_POLL_SECONDS = 0.2
# Jupyter saves open notebooks by itself; its kernels get a moment to end.
_GRACE_SECONDS = 10.0


def create_notebook(
    request: NotebookRequest,
    request_folder: Path,
    repository: Path,
    runtime: Runtime,
    port: int,
    token: str,
) -> Path:
    """Write what the server runs on into a new folder of the local workspace.

    `notebooks`, `data` and the source root are the repository's own folders: the server and the
    user see each other's edits at once.
    """
    sources = request.source_root or "src"
    folders = dict.fromkeys(("notebooks", "data", sources))
    top = _WORKSPACE if runtime.image else str(repository)
    workspace = LocalWorkspace(repository / LOCAL_FOLDER)
    with workspace.new_script_folder("jupyter") as folder:
        (folder / "code").mkdir()
        for name in folders:
            (repository / name).mkdir(parents=True, exist_ok=True)
        if runtime.image:
            mounts = [Mount(str(repository / name), f"{_WORKSPACE}/{name}") for name in folders]
            published = f"--publish={LOOPBACK}:{port}:{port}"
            arguments = [published, *request.options.run_arguments]
            own = container(folder, _WORKSPACE, runtime, mounts, arguments)
            script = Script(server_command(port, top), container=own)
        else:
            script = _in_environments(request, request_folder, folder, port, top)
        script.experiment_name = experiment_of(request.address)
        script.environment_variables |= {"JUPYTER_TOKEN": token, "PYTHONPATH": f"{top}/{sources}"}
        script.url = f"http://{LOOPBACK}:{port}/lab?token={token}"
        script.write(folder)
    return folder


def _in_environments(
    request: NotebookRequest, request_folder: Path, folder: Path, port: int, top: str
) -> Script:
    """Return the server in its own environment, with that of the experiment for its kernels."""
    jupyter = ensure_packages_venv(request.jupyter, request_folder)
    own = folder / "jupyter"
    # The folders in which Jupyter looks for these files.
    places = {"kernel.json": "kernels/python3", "kernel.py": ".", "page_config.json": "labconfig"}
    for name, text in settings(str(own), jupyter).items():
        (own / places[name]).mkdir(parents=True, exist_ok=True)
        write_file(own / places[name] / name, text)
    # Apart from the user's own Jupyter, and the same as in a container.
    home = folder.parent.parent / "home"
    return Script(
        [f"{jupyter}/bin/python", "-m", "jupyterlab", *server_arguments(port, top)],
        python=ensure_packages_venv(request.packages, request_folder),
        environment_variables={
            "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
            "JUPYTER_CONFIG_PATH": str(own),
            "JUPYTER_DATA_DIR": str(home / ".local/share/jupyter"),
            "JUPYTER_PATH": str(own),
            "IPYTHONDIR": str(home / ".ipython"),
        },
    )


def execute_notebook(folder: Path) -> int:
    """Run the server in `folder` until Ctrl-C, its regular end; then remove the folder."""
    folder = folder.absolute()
    script = Script.read(folder)
    try:
        with run_environment(script.python, folder) as pythons, Interruptions() as interruptions:
            spec = script.process_spec(folder, pythons)
            # In its own session, because Jupyter would ask after Ctrl-C whether to shut down.
            process = spec.start(stdin=subprocess.DEVNULL, start_new_session=True)
            threading.Thread(target=_print_url, args=(script.url, process), daemon=True).start()
            ended = Supervision(
                [process],
                interruptions,
                send_signal=lambda signum: process.send_signal(signal.SIGTERM),
                kill=lambda: spec.kill(process.pid),
                grace=_GRACE_SECONDS,
            ).wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if ended.signalled == signal.SIGINT else script.status(ended)


def _print_url(url: str, process: subprocess.Popen[bytes]) -> None:
    port = int(url.partition("/lab")[0].rpartition(":")[2])
    while process.poll() is None:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
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
