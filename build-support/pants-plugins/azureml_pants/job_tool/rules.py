"""The rules of this folder."""

from __future__ import annotations

from azureml_pants.job_tool import azure_packages, debugger, installation
from azureml_pants.job_tool.message import check_version


def rules():
    check_version()
    return [*azure_packages.rules(), *debugger.rules(), *installation.rules()]
