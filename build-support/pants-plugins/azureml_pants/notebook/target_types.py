"""The target `azureml_jupyter`."""

from __future__ import annotations

from azureml_pants.environment.fields import AzureMLImageField
from pants.engine.target import COMMON_TARGET_FIELDS, Dependencies, Target
from pants.util.strutil import help_text


class AzureMLJupyterDependenciesField(Dependencies):
    pass


class AzureMLJupyterTarget(Target):
    alias = "azureml_jupyter"
    core_fields = (*COMMON_TARGET_FIELDS, AzureMLJupyterDependenciesField, AzureMLImageField)
    help = help_text("""
        JupyterLab in the image of an experiment, with the repository's own `src`, `notebooks` and
        `data` folders.

        `run src/X:jupyter -- --port 8888` prints its address. Only this machine can reach it.

        Example: `azureml_jupyter(name="jupyter", image=":env")`.
        """)
