from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from azureml_jobs.protocol import PackagesVenv
from azureml_pants.job_tool.azure_packages import (
    AzurePackages,
    AzurePackagesRequest,
    install_azure_packages,
)
from pants.backend.python.util_rules.pex import VenvPex, VenvPexRequest
from pants.backend.python.util_rules.pex_requirements import PexRequirements
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.fs import EMPTY_DIGEST, DigestContents, FileContent, PathGlobs
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

CONFIGURED = "SUBSCRIPTION_ID=1\nRESOURCE_GROUP=g\nWORKSPACE=w\n"
TEMPLATE = "SUBSCRIPTION_ID=<subscription-id>\n"


def prepare(
    config: str, *arguments: str, **variables: str
) -> tuple[AzurePackages, list[VenvPexRequest]]:
    """Return the result for `run … -- ARGUMENTS`, and what was installed for it."""
    installed: list[VenvPexRequest] = []

    def install(request: VenvPexRequest) -> VenvPex:
        installed.append(request)
        return SimpleNamespace(  # type: ignore[return-value]
            digest=EMPTY_DIGEST, venv_rel_dir="venvs/1", python=SimpleNamespace(argv0="seed")
        )

    environment = Mock(pex_root=Path("/cache/pex_root"))
    python_setup = Mock(
        resolves_to_interpreter_constraints={"azureml": ["CPython==3.11.*"]},
        interpreter_constraints=Mock(),
    )
    result = run_rule_with_mocks(
        install_azure_packages,
        rule_args=[AzurePackagesRequest(environment, arguments), python_setup],
        mock_gets=[
            MockGet(
                DigestContents,
                (PathGlobs,),
                lambda _: DigestContents([FileContent("config.env", config.encode())]),
            ),
            MockGet(
                EnvironmentVars, (EnvironmentVarsRequest,), lambda _: EnvironmentVars(variables)
            ),
            MockGet(VenvPex, (VenvPexRequest,), install),
        ],
    )
    return result, installed


@pytest.mark.parametrize(
    ("config", "arguments", "variables"),
    [
        pytest.param(CONFIGURED, (), {}, id="config.env"),
        pytest.param(TEMPLATE, (), {"SUBSCRIPTION_ID": "1"}, id="the environment"),
        pytest.param(TEMPLATE, ("service",), {}, id="the stand-in"),
    ],
)
def test_installs_the_packages_when_a_workspace_is_named(
    config: str, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    packages, (installed,) = prepare(config, *arguments, **variables)
    assert packages.venv == PackagesVenv("/cache/pex_root/venvs/1", "seed")
    requirements = installed.pex_request.requirements
    assert isinstance(requirements, PexRequirements)
    names = set(requirements.req_strings_or_addrs)
    assert {"PyYAML", "azure-ai-ml"} < names and ("trustme" in names) == ("service" in arguments)


def test_installs_nothing_for_a_run_on_this_machine() -> None:
    packages, installed = prepare(CONFIGURED, "--local")
    assert (packages.venv, installed) == (None, [])
