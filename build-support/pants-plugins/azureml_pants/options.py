"""The options of the plugin: `[azureml]`, and those of the linters that it brings."""

from __future__ import annotations

from enum import Enum

from pants.option.option_types import EnumOption, SkipOption, StrListOption, StrOption
from pants.option.subsystem import Subsystem
from pants.util.strutil import help_text, softwrap


class Runtime(Enum):
    auto = "auto"
    docker = "docker"
    venv = "venv"


class AzureMLSubsystem(Subsystem):
    options_scope = "azureml"
    help = help_text("""
        Jobs on Azure Machine Learning, and their stand-in on this machine.
        """)

    runtime = EnumOption(
        default=Runtime.auto,
        help=softwrap("""
            What runs on this machine run in: `docker` is the image of the experiment's environment,
            `venv` a virtual environment of the same packages. `auto` takes the image when a Docker
            engine answers and the image is built.
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
        default=["PyYAML", "detect-secrets", "jsonschema", "psutil", "python-dotenv"],
        advanced=True,
        help="What the job tool needs of its resolve to check jobs and to run them locally.",
    )
    jupyter_resolve = StrOption(
        default="jupyter",
        advanced=True,
        help="The resolve in `[python].resolves` from which JupyterLab is installed.",
    )
    jupyter_requirements = StrListOption(
        default=["ipykernel", "jupyterlab"],
        advanced=True,
        help="What is installed of that resolve, on top of an experiment's image.",
    )
    submitter_requirements = StrListOption(
        default=["azure-ai-ml", "azure-identity", "certifi", "urllib3"],
        advanced=True,
        help=softwrap("""
            What the job tool needs of its resolve besides, to talk to Azure. It is installed only
            where a workspace is named, in `config.env` or otherwise.
            """),
    )
    service_requirements = StrListOption(
        default=["cryptography", "pyjwt", "trustme"],
        advanced=True,
        help=help_text("""
            What the stand-in for Azure ML needs of the resolve in addition. It is installed only
            for `:aml -- service`.
            """),
    )
    image_platform = StrOption(
        default="3rdparty/python/platforms/linux_x86_64-cp311.json",
        advanced=True,
        help=softwrap("""
            File that describes the Python of the images, for which the locked packages of an
            experiment are chosen. It is made in the image by
            `pex3 interpreter inspect --markers --tags --indent 2`.
            """),
    )


class AzureMLJobsLinter(Subsystem):
    # `azureml-job` is taken, Pants says, by the target type.
    options_scope = "azureml-jobs"
    name = "azureml-jobs"
    help = help_text("""
        The linter of job files: unknown keys and wrong values, placeholders, references to nothing,
        commands whose code has no owner, and inputs that the command never uses.
        """)

    skip = SkipOption("lint")


class ImportsLinter(Subsystem):
    options_scope = "unowned-imports"
    name = "unowned-imports"
    help = help_text("""
        The linter of imports: modules that are neither code of this repository nor in a package of
        the resolve. A job or a script with such an import is refused when it is run.
        """)

    skip = SkipOption("lint")
