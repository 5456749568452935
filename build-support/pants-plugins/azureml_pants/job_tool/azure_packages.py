"""A second virtual environment for the job tool, with the packages that talk to Azure."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.base.workspace_config import may_need_azure
from azureml_jobs.protocol import PackagesVenv
from azureml_pants.job_tool.installation import TOOL_PACKAGES, TOOL_RESOLVE, locked_pex_request
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.pex import VenvPex, VenvPexRequest
from pants.backend.python.util_rules.pex_environment import CompletePexEnvironment
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.fs import EMPTY_DIGEST, Digest, DigestContents, PathGlobs
from pants.engine.rules import Get, MultiGet, rule

_AZURE = ("azure-ai-ml", "azure-identity")
# What the stand-in for Azure ML needs in addition.
_SERVICE = ("cryptography", "pyjwt", "trustme")


@dataclass(frozen=True)
class AzurePackagesRequest:
    """`arguments` are those of the run, which may choose a workspace."""

    environment: CompletePexEnvironment
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class AzurePackages:
    """`digest` holds the script that recreates `venv`, None when nothing talks to Azure."""

    digest: Digest
    venv: PackagesVenv | None


@rule(desc="Install the packages that talk to Azure")
async def install_azure_packages(
    request: AzurePackagesRequest, python_setup: PythonSetup
) -> AzurePackages:
    configuration, variables = await MultiGet(
        Get(DigestContents, PathGlobs(["config.env", "config.*.env"])),
        Get(EnvironmentVars, EnvironmentVarsRequest(["SUBSCRIPTION_ID"])),
    )
    texts = [file.content.decode("utf-8", "replace") for file in configuration]
    if not may_need_azure(texts, variables, request.arguments):
        return AzurePackages(EMPTY_DIGEST, None)
    service = _SERVICE if request.arguments[:1] == ("service",) else ()
    pex_request = locked_pex_request(
        "azureml-azure.pex", (*TOOL_PACKAGES, *_AZURE, *service), TOOL_RESOLVE, python_setup
    )
    venv = await Get(VenvPex, VenvPexRequest(pex_request, request.environment))
    prefix = request.environment.pex_root / venv.venv_rel_dir
    return AzurePackages(venv.digest, PackagesVenv(str(prefix), venv.python.argv0))
