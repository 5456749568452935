"""The targets `azureml_local`, `azureml_terminal` and `azureml_test`, with their fields."""

from __future__ import annotations

from azureml_pants.code.job_fields import (
    AzureMLLocalDependenciesField,
    AzureMLLocalEntryPointField,
)
from azureml_pants.environment.fields import AzureMLImageField
from pants.backend.python.target_types import PythonResolveField
from pants.engine.target import COMMON_TARGET_FIELDS, Dependencies, Target
from pants.util.strutil import help_text


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
        A script that tries an experiment on this machine, with the packages that its job has.

        The script runs on a copy of exactly the code that it imports or depends on: in the image
        or, if that is not available, in a virtual environment. `../data` is the repository's
        `data` folder. Arguments after `--` go to the script.

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
        A shell with the same code, packages and folders as an experiment's local script.

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
        Tests that `run src/X:test` runs in the image of an experiment, unless the same tests have
        passed there before. Arguments after `--` go to pytest.

        Example: `azureml_test(name="test", dependencies=[":tests"], image=":env")`.
        """)
