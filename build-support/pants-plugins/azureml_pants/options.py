"""The options of the plugin: `[azureml]`, and those of the linters that it brings."""

from __future__ import annotations

from pants.option.option_types import SkipOption, StrListOption, StrOption
from pants.option.subsystem import Subsystem
from pants.util.strutil import help_text


class AzureMLSubsystem(Subsystem):
    options_scope = "azureml"
    help = help_text("""
        Jobs on Azure Machine Learning, and their stand-in on this machine.
        """)

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
        default=["PyYAML", "jsonschema", "python-dotenv"],
        advanced=True,
        help="What the job tool needs of its resolve to check jobs and to run them locally.",
    )
    submitter_requirements = StrListOption(
        default=["azure-ai-ml", "azure-identity", "certifi", "cryptography", "urllib3"],
        advanced=True,
        help=help_text("""
            What the job tool needs of its resolve besides, to talk to Azure. It is installed only
            where a workspace is named, in `config.env` or otherwise.
            """),
    )
    image_platform = StrOption(
        default="3rdparty/python/platforms/linux_x86_64-cp311.json",
        advanced=True,
        help=help_text("""
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


class Shellcheck(Subsystem):
    # As in Pants' own backend, which may take the place of this one.
    options_scope = "shellcheck"
    name = "Shellcheck"
    help = help_text("""
        The linter of shell scripts (https://www.shellcheck.net), installed from the package index.

        A file `.shellcheckrc` beside a script, or above it, holds its settings.
        """)

    skip = SkipOption("lint")
    include = StrListOption(
        default=["**/*.sh", "**/*.bash"],
        help="Globs of the shell scripts, relative to the build root.",
    )
    tool_resolve = StrOption(
        default="shellcheck",
        advanced=True,
        help="The resolve in `[python].resolves` from which shellcheck is installed.",
    )


class Hadolint(Subsystem):
    # As in Pants' own backend, which may take the place of this one.
    options_scope = "hadolint"
    name = "Hadolint"
    help = help_text("""
        The linter of Dockerfiles (https://github.com/hadolint/hadolint), installed from the package
        index. The file `.hadolint.yaml` in the build root holds its settings.
        """)

    skip = SkipOption("lint")
    include = StrListOption(
        default=["**/Dockerfile", "**/Dockerfile.*", "**/*.Dockerfile"],
        help="Globs of the Dockerfiles, relative to the build root.",
    )
    tool_resolve = StrOption(
        default="hadolint",
        advanced=True,
        help="The resolve in `[python].resolves` from which hadolint is installed.",
    )
