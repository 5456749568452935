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
    image_platform = StrOption(
        default="3rdparty/python/platforms/linux_x86_64-cp311.json",
        advanced=True,
        help=softwrap("""
            File that describes the Python of the images, for which an experiment's locked packages
            are chosen. To write it, run `pex3 interpreter inspect --markers --tags --indent 2` in
            the image.
            """),
    )
