"""The target `azureml_workspace`."""

from __future__ import annotations

from pants.engine.target import COMMON_TARGET_FIELDS, Dependencies, Target
from pants.util.strutil import help_text


class AzureMLWorkspaceDependenciesField(Dependencies):
    pass


class AzureMLWorkspaceTarget(Target):
    alias = "azureml_workspace"
    core_fields = (*COMMON_TARGET_FIELDS, AzureMLWorkspaceDependenciesField)
    help = help_text("""
        The workspace in which jobs run, with commands to look at them and to manage them.

        Some of them: `run :aml -- jobs list`, `jobs show NAME`, `jobs stream NAME`, `jobs cancel
        NAME`, `jobs download NAME`, `ui`. `run :aml -- --help` lists all.

        Example: `azureml_workspace(name="aml")` in the BUILD file of the repository's root.
        """)
