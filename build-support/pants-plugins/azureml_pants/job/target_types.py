"""The targets `azureml_job` and `azureml_component`."""

from __future__ import annotations

from azureml_pants.code.job_fields import (
    AzureMLComponentSourceField,
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

        It is of any kind: a command, a pipeline, a sweep, a schedule, or another that `az ml`
        accepts. Each step has its own code and environment.

        `run` submits the job to the workspace in `config.env`. If none is named there, it runs the
        job on this machine. `run … -- --dry-run` prints what would be sent, and `run … -- --help`
        lists all arguments. `package` writes a folder that `az ml job create` accepts. `lint`
        checks the job file.

        Example: `azureml_job(name="job", source="azure-ml-job.yaml")`.
        """)


class AzureMLComponentTarget(Target):
    alias = "azureml_component"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        AzureMLComponentSourceField,
        *(
            field
            for field in AzureMLJobTarget.core_fields
            if field not in (*COMMON_TARGET_FIELDS, AzureMLJobSourceField)
        ),
    )
    help = help_text("""
        A component that is registered on its own, for pipelines that name it.

        `run` registers it with the code that its command runs, in the workspace in `config.env` or,
        if none is named there, in the local workspace. `package` writes a folder that
        `az ml component create` accepts. `lint` checks its file.

        A pipeline that refers to the file itself needs no such target.

        Example: `azureml_component(name="train", source="components/train.yaml")`.
        """)
