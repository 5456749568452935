"""The target `azureml_job`."""

from __future__ import annotations

from azureml_pants.code.job_fields import (
    AzureMLJobDependenciesField,
    AzureMLJobEntryPointField,
    AzureMLJobSourceField,
)
from pants.backend.python.target_types import PythonResolveField
from pants.core.goals.package import OutputPathField
from pants.engine.target import COMMON_TARGET_FIELDS, BoolField, Target
from pants.util.strutil import help_text


class SkipAzureMLJobsField(BoolField):
    alias = "skip_azureml_jobs"
    default = False
    help = "If true, the linter of job files skips this target."


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
        A job on Azure Machine Learning.

        The job gets exactly the code that its command runs, with everything that this code imports
        or depends on. Nothing else in the folder is sent.

        `run` submits the job to the workspace in `config.env`. If none is named there, it runs the
        job on this machine. `run … -- --dry-run` prints what would be sent, and `run … -- --help`
        lists all arguments. `package` writes a folder that `az ml job create` accepts. `lint`
        checks the job file.

        Example: `azureml_job(name="job", source="azure-ml-job.yaml")`.
        """)
