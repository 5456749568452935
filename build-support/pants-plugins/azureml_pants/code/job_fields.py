"""The fields of jobs and local scripts that say what they run."""

from __future__ import annotations

import posixpath

from pants.engine.target import Dependencies, OptionalSingleSourceField, StringField
from pants.util.strutil import help_text


class AzureMLLocalEntryPointField(StringField):
    alias = "entry_point"
    default = "local.py"
    help = help_text("""
        The Python file to run, relative to the BUILD file, e.g. `local.py`, or a module.
        """)


class AzureMLLocalDependenciesField(Dependencies):
    help = help_text("""
        Addresses of what the script needs in addition to what it imports, e.g. `:sample-data`.
        """)


class AzureMLJobSourceField(OptionalSingleSourceField):
    default = "azure-ml-job.yaml"
    expected_file_extensions = (".yaml", ".yml")
    help = help_text("""
        The job file, e.g. `azure-ml-job.yaml`: a job of any kind that `az ml job create` accepts.

        It needs nothing specific to Pants. Paths in it are relative to its folder. Components and
        other files that it refers to need no targets.
        """)

    @property
    def path(self) -> str:
        """Return the job file's path, relative to the build root."""
        return posixpath.join(self.address.spec_path, self.value or self.default)


class AzureMLComponentSourceField(AzureMLJobSourceField):
    required = True
    help = help_text("""
        The file of the component, e.g. `components/train.yaml`, that `az ml component create`
        accepts.
        """)


class AzureMLJobEntryPointField(StringField):
    alias = "entry_point"
    help = help_text("""
        A Python file or module that the job runs, e.g. `train.py` or `my_experiment.train`.

        Set it only if the job file's command does not show what runs, because a script starts it.
        Files that the command names are found without it.
        """)


class AzureMLJobDependenciesField(Dependencies):
    help = help_text("""
        Addresses of what the job needs in addition to what its code imports, e.g. `:configs`.

        Imports are inferred, starting from the files that the command runs.
        """)
