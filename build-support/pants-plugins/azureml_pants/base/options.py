"""The options `[azureml]`."""

from __future__ import annotations

from enum import Enum

from pants.option.option_types import EnumOption, StrListOption, StrOption
from pants.option.subsystem import Subsystem
from pants.util.strutil import help_text, softwrap


class Runtime(Enum):
    auto = "auto"
    docker = "docker"
    venv = "venv"


class AzureMLSubsystem(Subsystem):
    options_scope = "azureml"
    help = help_text("""
        Jobs on Azure Machine Learning, and the same jobs on this machine.
        """)

    runtime = EnumOption(
        default=Runtime.auto,
        help=softwrap("""
            Where code runs on this machine: `docker` is the image of the experiment's environment,
            `venv` a virtual environment with the same packages. `auto` uses the image if a Docker
            engine answers and the image has been built.
            """),
    )
    allow = StrListOption(
        default=[],
        help=softwrap("""
            Files and folders in which jobs may have what looks like a secret, relative to the build
            root; data outside of it, by its whole path. `run` has `-- --allow PATH` for one run.
            What was let pass is in the manifest of the job.
            """),
    )
    tool_path = StrOption(
        default="build-support/azureml-jobs",
        advanced=True,
        help="Folder of the job tool's sources, relative to the build root.",
    )
    tool_resolve = StrOption(
        default="azureml",
        advanced=True,
        help="The resolve in `[python].resolves` from which the job tool is installed.",
    )
    tool_requirements = StrListOption(
        default=["PyYAML", "certifi", "detect-secrets", "psutil", "python-dotenv", "urllib3"],
        advanced=True,
        help="The packages of that resolve that check jobs and run them on this machine.",
    )
    azure_requirements = StrListOption(
        default=["azure-ai-ml", "azure-identity", "certifi", "urllib3"],
        advanced=True,
        help=softwrap("""
            The packages of the job tool's resolve that talk to Azure. They are installed only when
            a workspace is configured, for example in `config.env`.
            """),
    )
    search_requirements = StrListOption(
        default=["optuna", "scipy"],
        advanced=True,
        help=softwrap("""
            The packages of the job tool's resolve that choose the values of a sweep. They are
            installed only when a sweep runs on this machine.
            """),
    )
    service_requirements = StrListOption(
        default=["cryptography", "pyjwt", "trustme"],
        advanced=True,
        help=softwrap("""
            The packages of the job tool's resolve that the stand-in for Azure ML needs in addition.
            They are installed only for `run :aml -- service`.
            """),
    )
    jupyter_resolve = StrOption(
        default="jupyter",
        advanced=True,
        help="The resolve in `[python].resolves` from which JupyterLab is installed.",
    )
    jupyter_requirements = StrListOption(
        default=["ipykernel", "jupyterlab"],
        advanced=True,
        help="The packages of that resolve that are installed on top of an experiment's image.",
    )
    ui_resolve = StrOption(
        default="mlflow",
        advanced=True,
        help="The resolve in `[python].resolves` from which MLflow's web page is installed.",
    )
    ui_requirements = StrListOption(
        default=["azure-identity", "certifi", "mlflow", "python-dotenv", "PyYAML", "urllib3"],
        advanced=True,
        help=softwrap("""
            The packages of that resolve that show MLflow's web page. They are installed only for
            `run :aml -- ui`.
            """),
    )
    plot_requirements = StrListOption(
        default=["matplotlib"],
        advanced=True,
        help=softwrap("""
            The packages of that resolve that draw metrics. They are installed only for
            `run :aml -- jobs compare --plot METRIC`.
            """),
    )
    image_platform = StrOption(
        default="3rdparty/python/platforms/linux_x86_64-cp311.json",
        advanced=True,
        help=softwrap("""
            File that describes the Python of the images, for which an experiment's locked packages
            are chosen. To write it, run `pex3 interpreter inspect --markers --tags --indent 2` in
            the image.
            """),
    )
