from __future__ import annotations

from unittest.mock import Mock

import pytest
from azureml_jobs.protocol import EnvironmentImage, PackagesVenv, RuntimeOptions
from azureml_pants.base.options import Runtime
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.environment.packages import (
    InstalledPackages,
    InstallPackagesRequest,
    LockedRequirements,
    LockedRequirementsRequest,
)
from azureml_pants.environment.runtime import (
    NamedImage,
    NamedImageRequest,
    ScriptRuntime,
    ScriptRuntimeRequest,
    choose_script_runtime,
    find_runtime_options,
)
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_DIGEST, Digest, MergeDigests
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

ADDRESS = Address("src/x", target_name="local")
IMAGE = EnvironmentImage("src/x:env", "env-0123456789ab")
VENV = PackagesVenv("/cache/venv", "seed")


def test_the_options_leave_the_terminal_to_the_job_tool() -> None:
    options = run_rule_with_mocks(
        find_runtime_options,
        rule_args=[
            Mock(runtime=Runtime.docker),
            Mock(run_args=("--interactive", "--tty", "--gpus", "all"), build_args=("A=b",)),
        ],
    )
    assert options == RuntimeOptions("docker", ("--gpus", "all"), ("A=b",))


def prepared(
    runtime: str, image: str | None = ":env", imports: tuple[str, ...] = ("numpy",), **fields: bool
) -> tuple[ScriptRuntime, list]:
    """Return what a script runs in, whose image has numpy, and what was asked of the lock."""
    asked: list = []

    def choose(request: LockedRequirementsRequest) -> LockedRequirements:
        asked.append(request)
        return Mock(digest=EMPTY_DIGEST)

    result = run_rule_with_mocks(
        choose_script_runtime,
        rule_args=[
            ScriptRuntimeRequest(
                ADDRESS, AzureMLImageField(image, ADDRESS), "main", imports, Mock(), **fields
            ),
            RuntimeOptions(runtime),
        ],
        mock_gets=[
            MockGet(
                NamedImage,
                (NamedImageRequest,),
                lambda _: NamedImage(IMAGE, frozenset({"numpy", "pandas"})),
            ),
            MockGet(LockedRequirements, (LockedRequirementsRequest,), choose),
            MockGet(
                InstalledPackages,
                (InstallPackagesRequest,),
                lambda _: InstalledPackages(EMPTY_DIGEST, VENV),
            ),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
        ],
    )
    return result, asked


@pytest.mark.parametrize(
    "runtime, image, venv",
    [("auto", IMAGE, VENV), ("docker", IMAGE, None), ("venv", None, VENV)],
)
def test_sets_up_only_what_may_be_used(
    runtime: str, image: EnvironmentImage | None, venv: PackagesVenv | None
) -> None:
    result, asked = prepared(runtime)
    assert (result.image, result.venv, result.adds_packages, asked) == (image, venv, False, [])
    assert result.options.runtime == runtime


def test_what_needs_the_image_gets_no_virtual_environment() -> None:
    result, _ = prepared("venv", in_image=True)
    assert (result.image, result.venv, result.options.runtime) == (IMAGE, None, "docker")


def test_packages_missing_from_the_image_become_a_layer() -> None:
    result, asked = prepared("auto", imports=("numpy", "pytest"))
    assert result.adds_packages
    assert asked == [LockedRequirementsRequest("main", ("numpy", "pytest"))]


def test_without_an_image_there_is_a_virtual_environment() -> None:
    result, _ = prepared("auto", image=None)
    assert (result.image, result.venv) == (None, VENV)
