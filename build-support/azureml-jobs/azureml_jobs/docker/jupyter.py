"""JupyterLab on top of an experiment's image, and how it is started there."""

from __future__ import annotations

from azureml_jobs.docker.layer import WITH_CERTIFICATE, WITHOUT_CERTIFICATE, Layer

# A virtual environment of its own: what JupyterLab needs must not change what notebooks import.
_FOLDER = "/opt/jupyter"
_KERNEL = """\
{
 "argv": ["/usr/bin/env", "python", "/opt/jupyter/kernel.py", "-f", "{connection_file}"],
 "display_name": "Python of the experiment",
 "language": "python",
 "metadata": {"debugger": true}
}
"""
# The experiment's own packages come first, those of the kernel fill in what is missing.
_START_KERNEL = """\
import sys

version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
# In place of the folder of this file: notebooks do not import from it.
del sys.path[0]
sys.path.append(f"/opt/jupyter/lib/{version}/site-packages")

from ipykernel import kernelapp  # noqa: E402

kernelapp.launch_new_instance()
"""

# News from elsewhere are none of a locked environment's.
_PAGE = """\
{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}
"""


def jupyter_layer(requirements: bytes) -> Layer:
    """JupyterLab from the locked `requirements`, with the experiment's Python as its kernel."""
    return Layer(
        "jupyter",
        "JupyterLab",
        "COPY requirements.txt kernel.json kernel.py page_config.json /opt/jupyter-files/\n"
        f"RUN python -m venv {_FOLDER} && {WITH_CERTIFICATE}"
        f"{_FOLDER}/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes"
        " -r /opt/jupyter-files/requirements.txt"
        f" && cp /opt/jupyter-files/kernel.json {_FOLDER}/share/jupyter/kernels/python3/kernel.json"
        f" && cp /opt/jupyter-files/kernel.py {_FOLDER}/kernel.py"
        f" && install -D /opt/jupyter-files/page_config.json"
        f" {_FOLDER}/etc/jupyter/labconfig/page_config.json && {WITHOUT_CERTIFICATE}\n",
        {
            "requirements.txt": requirements,
            "kernel.json": _KERNEL.encode(),
            "kernel.py": _START_KERNEL.encode(),
            "page_config.json": _PAGE.encode(),
        },
    )


def server_command(port: int, folder: str) -> list[str]:
    """Start the server in `folder` of the container, for whoever knows `JUPYTER_TOKEN`."""
    return [
        f"{_FOLDER}/bin/jupyter-lab",
        "--no-browser",
        # Docker publishes the port on this machine's loopback alone.
        "--ServerApp.ip=0.0.0.0",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        # The user of the container is who started it; root is that in an engine without root.
        "--ServerApp.allow_root=True",
        "--log-level=WARN",
    ]


def server_environment(token: str, sources: str) -> dict[str, str]:
    """`sources` are the folders that notebooks import from, separated as on a PATH."""
    return {"JUPYTER_TOKEN": token, "PYTHONPATH": sources}
