"""A notebook server in a container: staged, started, told of, and ended."""

from __future__ import annotations

import http.client
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from azureml_jobs.base.errors import OutsideError
from azureml_jobs.docker.container import Mount
from azureml_jobs.docker.jupyter import server_command, server_environment
from azureml_jobs.local.create_folder import experiment_of, new_local_folder
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.mounts import container
from azureml_jobs.local.output import open_standard_descriptors, say
from azureml_jobs.local.runtimes import Runtime
from azureml_jobs.local.script import Script, script_status
from azureml_jobs.local.supervise import Supervision
from azureml_jobs.protocol import NotebookRequest

_HOST = "127.0.0.1"
_WORKSPACE = "/workspace"
_POLL_SECONDS = 0.2
# Jupyter saves what is open by itself; its kernels get a moment to end.
_GRACE_SECONDS = 10.0


def create_notebook(
    request: NotebookRequest, repository: Path, runtime: Runtime, port: int, token: str
) -> Path:
    """Write what the server runs on into a new folder of the local workspace.

    `notebooks`, `data` and the folder of sources are the repository's own: an edit on either side
    is seen on the other at once.
    """
    sources = request.source_root or "src"
    folders = dict.fromkeys(("notebooks", "data", sources))

    def fill(stage: Path) -> None:
        (stage / "code").mkdir()
        for name in folders:
            (repository / name).mkdir(parents=True, exist_ok=True)
        mounts = [Mount(str(repository / name), f"{_WORKSPACE}/{name}") for name in folders]
        published = f"--publish={_HOST}:{port}:{port}"
        arguments = [published, *request.options.run_arguments]
        Script(
            server_command(port, _WORKSPACE),
            container=container(stage, _WORKSPACE, runtime, mounts, arguments).as_data(),
            experiment_name=experiment_of(request.address),
            environment_variables=server_environment(token, f"{_WORKSPACE}/{sources}"),
            url=f"http://{_HOST}:{port}/lab?token={token}",
        ).write(stage)

    return new_local_folder(repository, "jupyter", fill)


def execute_notebook(folder: Path, grace: float = _GRACE_SECONDS) -> int:
    """Run the server in `folder` until Ctrl-C, which is its regular end; then remove the folder."""
    open_standard_descriptors()
    folder = folder.absolute()
    script = Script.read(folder)
    started = script.launch(folder)
    try:
        with Interruptions() as interruptions:
            process = subprocess.Popen(
                started.argv,
                cwd=started.cwd,
                env=started.environment,
                stdin=subprocess.DEVNULL,
                # Ctrl-C is ours: Jupyter would ask whether it is meant.
                start_new_session=True,
            )
            threading.Thread(target=_tell, args=(script.url, process), daemon=True).start()
            ended = Supervision(
                process,
                interruptions,
                ask=lambda signum: process.send_signal(signal.SIGTERM),
                kill=lambda: started.kill(process.pid),
                grace=grace,
            ).wait()
    except OSError as error:
        raise OutsideError("docker", f"it could not be started: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if ended.signalled == signal.SIGINT else script_status(started, ended)


def _tell(url: str, process: subprocess.Popen[bytes]) -> None:
    """Print where the server is, as soon as it answers."""
    port = int(url.partition("/lab")[0].rpartition(":")[2])
    while process.poll() is None:
        connection = http.client.HTTPConnection(_HOST, port, timeout=5)
        try:
            connection.request("GET", "/api")
            if connection.getresponse().status == 200:
                say(1, f"JupyterLab: {url}\nCtrl-C ends it.\n")
                return
        except (OSError, http.client.HTTPException):
            # Docker takes connections before the server does.
            time.sleep(_POLL_SECONDS)
        finally:
            connection.close()
