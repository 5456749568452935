"""The rules of this folder."""

from __future__ import annotations

from azureml_pants.job_tool import azure_packages, debugger, installation
from azureml_pants.job_tool.message import check_version
from pants.engine.rules import collect_rules


def rules():
    check_version()
    return collect_rules(azure_packages, debugger, installation)
