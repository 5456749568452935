"""The target types of the plugin, with their fields."""

from __future__ import annotations

import posixpath

from pants.backend.python.target_types import PythonResolveField
from pants.core.goals.package import OutputPathField
from pants.engine.fs import GlobMatchErrorBehavior
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    BoolField,
    Dependencies,
    MultipleSourcesField,
    OptionalSingleSourceField,
    SpecialCasedDependencies,
    StringField,
    Target,
)
from pants.util.strutil import help_text


class AzureMLJobSourceField(OptionalSingleSourceField):
    default = "azure-ml-job.yaml"
    expected_file_extensions = (".yaml", ".yml")
    help = help_text("""
        The job file, e.g. `azure-ml-job.yaml`: a command job as `az ml job create` takes it.

        Nothing in it is specific to Pants. Paths in it are relative to its folder.
        """)

    @property
    def path(self) -> str:
        """The job file relative to the build root."""
        return posixpath.join(self.address.spec_path, self.value or self.default)


class AzureMLJobEntryPointField(StringField):
    alias = "entry_point"
    help = help_text("""
        A Python file or module that the job runs, e.g. `train.py` or `my_experiment.train`.

        Needed only where the job file's command does not show it, because it is inside of a
        script. The files that the command names are found without it.
        """)


class AzureMLJobDependenciesField(Dependencies):
    help = help_text("""
        Addresses of what the job needs besides that which its code imports, e.g. `:configs`.

        Imports of first-party and third-party code are inferred, beginning with the files that
        the command runs.
        """)


class SkipAzureMLJobsField(BoolField):
    alias = "skip_azureml_jobs"
    default = False
    help = "If true, don't run the linter of job files on this target."


class AzureMLJobTarget(Target):
    alias = "azureml_job"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        AzureMLJobSourceField,
        AzureMLJobEntryPointField,
        AzureMLJobDependenciesField,
        OutputPathField,
        PythonResolveField,
        SkipAzureMLJobsField,
    )
    help = help_text("""
        One job of Azure Machine Learning.

        What is sent is exactly the code that the job's command runs, with everything that this
        code imports or depends on, and nothing else of the folder.

        `run` submits it: to the workspace in `config.env` or, when none is named there, to the
        local workspace of this machine. `run … -- --dry-run` prints what would be sent, and
        `run … -- --help` lists the arguments. `package` writes the same as a folder which
        `az ml job create` takes. `lint` checks the job file.

        Example: `azureml_job(name="job", source="azure-ml-job.yaml")`.
        """)


class AzureMLImageField(StringField):
    alias = "image"
    help = help_text("""
        Address of the `docker_image` of the experiment's environment, e.g. `:env`.
        """)


class AzureMLLocalEntryPointField(StringField):
    alias = "entry_point"
    default = "local.py"
    help = help_text("""
        The Python file that is run, e.g. `local.py`, relative to the BUILD file, or a module.
        """)


class AzureMLLocalDependenciesField(Dependencies):
    help = help_text("""
        Addresses of what the script needs besides that which it imports, e.g. `:sample-data`.
        """)


class AzureMLLocalTarget(Target):
    alias = "azureml_local"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        AzureMLLocalEntryPointField,
        AzureMLLocalDependenciesField,
        AzureMLImageField,
        PythonResolveField,
    )
    help = help_text("""
        A script to try an experiment on this machine, with the packages that its job has.

        It runs on a copy of exactly the code that it imports or depends on, in the image or, where
        that is not to be had, in a virtual environment. `../data` is the repository's `data`
        folder; arguments after `--` are passed on.

        Example: `azureml_local(name="local", entry_point="local.py", image=":env")`.
        """)


class AzureMLTerminalDependenciesField(Dependencies):
    help = help_text("""
        Addresses of what the shell finds in its folder, e.g. `:local`.
        """)


class AzureMLTerminalTarget(Target):
    alias = "azureml_terminal"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        AzureMLTerminalDependenciesField,
        AzureMLImageField,
        PythonResolveField,
    )
    help = help_text("""
        A shell where an experiment's local script would run: the same code, packages and folders.

        Example: `azureml_terminal(name="terminal", dependencies=[":local"], image=":env")`.
        """)


class AzureMLTestDependenciesField(Dependencies):
    help = help_text("""
        Addresses of the tests, e.g. `:tests`.
        """)


class AzureMLTestTarget(Target):
    alias = "azureml_test"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        AzureMLTestDependenciesField,
        AzureMLImageField,
        PythonResolveField,
    )
    help = help_text("""
        Tests that run in the image of an experiment by `run src/X:test`, unless the same have
        passed there before. Arguments after `--` are pytest's.

        Example: `azureml_test(name="test", dependencies=[":tests"], image=":env")`.
        """)


class AzureMLJupyterDependenciesField(Dependencies):
    pass


class AzureMLJupyterTarget(Target):
    alias = "azureml_jupyter"
    core_fields = (*COMMON_TARGET_FIELDS, AzureMLJupyterDependenciesField, AzureMLImageField)
    help = help_text("""
        JupyterLab in the image of an experiment, on the repository's own `src`, `notebooks` and
        `data`. `run src/X:jupyter -- --port 8888` prints its address; only this machine reaches it.

        Example: `azureml_jupyter(name="jupyter", image=":env")`.
        """)


class AzureMLWorkspaceDependenciesField(Dependencies):
    pass


class AzureMLWorkspaceTarget(Target):
    alias = "azureml_workspace"
    core_fields = (*COMMON_TARGET_FIELDS, AzureMLWorkspaceDependenciesField)
    help = help_text("""
        The workspace in which jobs run, to look at them and to run_aml them.

        `run :aml -- jobs list`, `jobs show NAME`, `jobs stream NAME`, `jobs cancel NAME`,
        `jobs download NAME`; `run :aml -- --help` lists all.

        Example: `azureml_workspace(name="aml")` in the BUILD file of the repository's root.
        """)


class FileSetSourcesField(MultipleSourcesField):
    required = True
    # A set of files that does not exist yet, or not any more, is none.
    default_glob_match_error_behavior = GlobMatchErrorBehavior.ignore
    help = help_text("""
        Globs of the files, relative to the BUILD file, e.g. `["pants", "src/common/**/*"]`.
        """)


class FileSetTarget(Target):
    alias = "file_set"
    core_fields = (*COMMON_TARGET_FIELDS, FileSetSourcesField)
    help = help_text("""
        Many files as one target, for tests that need a whole tree of them.

        A target `files` makes one target of each file, and all of these show up in `list`.

        Example: `file_set(name="repository", sources=["pants", "src/common/**/*"])`.
        """)


class LockedRequirementsSourceField(OptionalSingleSourceField):
    # There is no source: the file is generated. The field is what Pants generates it from.
    alias = "_source"
    uses_source_roots = False
    expected_num_files = 0


class LockedRequirementsFolderField(StringField):
    alias = "folder"
    default = "docker"
    help = help_text("""
        The folder in which the file is, relative to the BUILD file, e.g. `docker`: that of the
        Dockerfile which copies it.
        """)


class LockedRequirementsJobsField(SpecialCasedDependencies):
    alias = "jobs"
    required = True
    help = help_text("""
        Addresses of what the image runs, e.g. `[":job"]`.
        """)


class LockedRequirementsTarget(Target):
    alias = "locked_requirements"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        LockedRequirementsSourceField,
        LockedRequirementsFolderField,
        LockedRequirementsJobsField,
    )
    help = help_text("""
        A `requirements.txt` for an image: the locked packages that a job imports, with hashes.

        It is generated, and in the context of every `docker_image` that depends on this target.
        It changes when the job imports another package or the lock changes, and not when code is
        edited otherwise; so does the image.

        Example: `locked_requirements(name="requirements", folder="docker", jobs=[":job"])`.
        """)
