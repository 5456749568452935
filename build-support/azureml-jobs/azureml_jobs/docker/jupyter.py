"""Add JupyterLab to an experiment's image, and start it there."""

from __future__ import annotations

import json

from azureml_jobs.docker.derived_image import WITH_CERTIFICATE, WITHOUT_CERTIFICATE, Addition

# Its own virtual environment: what JupyterLab needs must not change what notebooks import.
_FOLDER = "/opt/jupyter"
_KERNEL = """\
{
 "argv": ["/usr/bin/env", "python", START, "-f", "{connection_file}",
          "--log-level=ERROR"],
 "display_name": "Python of the experiment",
 "language": "python",
 "metadata": {"debugger": true}
}
"""
# The experiment's packages come first; those of the kernel fill in what is missing.
_START_KERNEL = """\
import sys

version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
# The folder of this file, from which notebooks must not import.
del sys.path[0]
sys.path.append(f"JUPYTER/lib/{version}/site-packages")

from ipykernel import kernelapp  # noqa: E402

kernelapp.launch_new_instance()
"""

# Without news from the project's server.
_PAGE = """\
{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}
"""


def jupyter_addition(requirements: bytes) -> Addition:
    """Add JupyterLab from locked `requirements`, with the experiment's Python as its kernel."""
    return Addition(
        "jupyter",
        "JupyterLab",
        "COPY requirements.txt kernel.json kernel.py page_config.json /opt/jupyter-files/\n"
        f"RUN python -m venv {_FOLDER} && {WITH_CERTIFICATE}"
        f"{_FOLDER}/bin/pip install --no-cache-dir --no-deps --require-hashes"
        " -r /opt/jupyter-files/requirements.txt"
        f" && cp /opt/jupyter-files/kernel.json {_FOLDER}/share/jupyter/kernels/python3/kernel.json"
        f" && cp /opt/jupyter-files/kernel.py {_FOLDER}/kernel.py"
        f" && install -D /opt/jupyter-files/page_config.json"
        f" {_FOLDER}/etc/jupyter/labconfig/page_config.json && {WITHOUT_CERTIFICATE}\n",
        {
            "requirements.txt": requirements,
            **{name: text.encode() for name, text in settings(_FOLDER, _FOLDER).items()},
        },
    )


def settings(folder: str, jupyter: str) -> dict[str, str]:
    """Return the files of the kernel in `folder`, and of the page; `jupyter` is its environment."""
    return {
        "kernel.json": _KERNEL.replace("START", json.dumps(f"{folder}/kernel.py")),
        "kernel.py": _START_KERNEL.replace("JUPYTER", jupyter),
        "page_config.json": _PAGE,
    }


def server_command(port: int, folder: str) -> list[str]:
    """Return the command that starts the server in `folder` of the container."""
    # Docker publishes the port on this machine's loopback address only.
    own = [f"{_FOLDER}/bin/jupyter-lab", "--ServerApp.ip=0.0.0.0"]
    return [*own, *server_arguments(port, folder)]


def server_arguments(port: int, folder: str) -> list[str]:
    """Return what a server needs in addition, with or without a container."""
    return [
        "--no-browser",
        # Root is the user of a rootless engine, and of many development containers.
        "--ServerApp.allow_root=True",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        # Its warnings are about its own extensions.
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
    ]
