"""The target `azureml_jupyter`."""

from __future__ import annotations

from azureml_pants.environment.fields import AzureMLImageField
from pants.backend.python.target_types import PythonResolveField
from pants.engine.target import COMMON_TARGET_FIELDS, Dependencies, Target
from pants.util.strutil import help_text


class AzureMLJupyterDependenciesField(Dependencies):
    pass


class AzureMLJupyterTarget(Target):
    alias = "azureml_jupyter"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        AzureMLJupyterDependenciesField,
        AzureMLImageField,
        PythonResolveField,
    )
    help = help_text("""
        JupyterLab on the repository's own `src`, `notebooks` and `data` folders: in the image of an
        experiment or, if that is not available, with all packages of its lock.

        `run src/X:jupyter -- --port 8888` prints its address. Only this machine can reach it.

        Example: `azureml_jupyter(name="jupyter", image=":env")`.
        """)
