"""What talks to Azure: a second virtual environment of the job tool, where a workspace is named."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.base.workspace_config import may_need_azure
from azureml_jobs.protocol import PackagesVenv
from azureml_pants.options import AzureMLSubsystem
from azureml_pants.rules.tool import tool_pex_request
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.pex import VenvPex, VenvPexRequest
from pants.backend.python.util_rules.pex_environment import CompletePexEnvironment
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.fs import EMPTY_DIGEST, Digest, DigestContents, PathGlobs
from pants.engine.rules import Get, MultiGet, collect_rules, rule


@dataclass(frozen=True)
class SubmitterRequest:
    """`arguments` are those of the run: they may choose a workspace."""

    environment: CompletePexEnvironment
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Submitter:
    """`venv` is None when nothing will leave this machine; `digest` holds what makes it anew."""

    digest: Digest
    venv: PackagesVenv | None


@rule(desc="Prepare what talks to Azure")
async def prepare_submitter(
    request: SubmitterRequest, azureml: AzureMLSubsystem, python_setup: PythonSetup
) -> Submitter:
    configuration, variables = await MultiGet(
        Get(DigestContents, PathGlobs(["config.env", "config.*.env"])),
        Get(EnvironmentVars, EnvironmentVarsRequest(["SUBSCRIPTION_ID"])),
    )
    texts = [file.content.decode("utf-8", "replace") for file in configuration]
    if not may_need_azure(texts, variables, request.arguments):
        return Submitter(EMPTY_DIGEST, None)
    requirements = (*azureml.tool_requirements, *azureml.submitter_requirements)
    if request.arguments[:1] == ("service",):
        requirements += azureml.service_requirements
    venv = await Get(
        VenvPex,
        VenvPexRequest(
            tool_pex_request(
                "azureml-submitter.pex",
                requirements,
                azureml,
                python_setup,
            ),
            request.environment,
        ),
    )
    prefix = request.environment.pex_root / venv.venv_rel_dir
    return Submitter(venv.digest, PackagesVenv(str(prefix), venv.python.argv0))


def rules():
    return collect_rules()
