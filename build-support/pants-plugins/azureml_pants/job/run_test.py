from __future__ import annotations

import json
from collections.abc import Iterable
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from azureml_jobs.protocol import (
    JobRequest,
    LockedPackages,
    PackagesVenv,
    RuntimeOptions,
    UnitFiles,
)
from azureml_pants.code.job_fields import AzureMLJobEntryPointField, AzureMLJobSourceField
from azureml_pants.environment.packages import InstalledPackages, InstallPackagesRequest
from azureml_pants.job.inputs import JobInputs, JobInputsRequest
from azureml_pants.job.run import RunJobFieldSet, run_job
from azureml_pants.job_tool.azure_packages import AzurePackages, AzurePackagesRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from pants.backend.python.target_types import PythonResolveField
from pants.core.goals.run import RunRequest
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_DIGEST, CreateDigest, Digest, FileContent, MergeDigests
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

ADDRESS = Address("src/x", target_name="job")
VENV = PackagesVenv("/cache/venv", "seed")
AZURE = PackagesVenv("/cache/azure", "seed-azure")


def run(
    *arguments: str,
    errors: tuple[str, ...] = (),
    runtime: str = "auto",
    azure: PackagesVenv | None = None,
) -> tuple[RunRequest, dict, list[InstallPackagesRequest]]:
    """Return what `run src/x:job -- ARGUMENTS` starts, its request, and whose packages it needs."""
    gathered = JobRequest(
        address=str(ADDRESS),
        job_file="src/x/azure-ml-job.yaml",
        documents=("src/x/azure-ml-job.yaml",),
        units=(UnitFiles("", (), (), LockedPackages("main", "main.lock", "", ("numpy",))),),
        versions={},
        errors=errors,
    )
    written: list[FileContent] = []
    installed: list[InstallPackagesRequest] = []

    def install(request: InstallPackagesRequest) -> InstalledPackages:
        installed.append(request)
        return InstalledPackages(EMPTY_DIGEST, VENV)

    def create(request: Iterable[FileContent]) -> Digest:
        written.extend(request)
        return EMPTY_DIGEST

    result = run_rule_with_mocks(
        run_job,
        rule_args=[
            RunJobFieldSet(
                ADDRESS,
                AzureMLJobSourceField(None, ADDRESS),
                AzureMLJobEntryPointField(None, ADDRESS),
                PythonResolveField(None, ADDRESS),
            ),
            Mock(),
            SimpleNamespace(args=arguments),
            RuntimeOptions(runtime, ("--gpus", "all")),
            Mock(enable_resolves=False),
        ],
        mock_gets=[
            MockGet(JobInputs, (JobInputsRequest,), lambda _: JobInputs(gathered, EMPTY_DIGEST)),
            MockGet(
                JobTool, (JobToolRequest,), lambda _: JobTool(EMPTY_DIGEST, "python", "tool/run.py")
            ),
            MockGet(InstalledPackages, (InstallPackagesRequest,), install),
            MockGet(
                AzurePackages, (AzurePackagesRequest,), lambda _: AzurePackages(EMPTY_DIGEST, azure)
            ),
            MockGet(Digest, (CreateDigest,), create),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
        ],
    )
    (file,) = written
    assert file.path == "request.json"
    return result, json.loads(file.content), installed


def test_starts_the_job_tool_on_the_request() -> None:
    result, request, _ = run("--set", "inputs.epochs=2")
    # Pants appends the arguments after `--`.
    assert result.args == (
        "{chroot}/python",
        "tool/run.py",
        "job",
        "--request",
        "{chroot}/request.json",
    )
    assert request["venv"] == {"prefix": "/cache/venv", "seed": "seed"}
    assert request["azure"] is None


def test_the_packages_are_those_of_the_job() -> None:
    assert [asked.requirements for asked in run()[2]] == [("numpy",)]


@pytest.mark.parametrize("argument", ["--dry-run", "--help", "-h"])
def test_nothing_is_installed_when_the_tool_only_prints(argument: str) -> None:
    _, request, installed = run("--set", "a=b", argument)
    assert installed == []
    assert request["venv"] is None


@pytest.mark.parametrize(
    "runtime, arguments, is_installed",
    [("docker", (), False), ("docker", ("--runtime=venv",), True), ("venv", (), True)],
)
def test_no_packages_are_installed_for_a_run_in_docker(
    runtime: str, arguments: tuple[str, ...], is_installed: bool
) -> None:
    _, request, installed = run(*arguments, runtime=runtime)
    assert bool(installed) is is_installed
    assert request["options"]["runtime"] == runtime
    assert request["options"]["run_arguments"] == ["--gpus", "all"]


def test_no_packages_are_installed_for_a_run_in_azure() -> None:
    _, request, installed = run(azure=AZURE)
    assert installed == []
    assert request["azure"] == {"prefix": AZURE.prefix, "seed": AZURE.seed}


def test_nothing_is_installed_for_a_job_with_errors() -> None:
    _, request, installed = run(errors=("a.yaml: wrong.",))
    assert installed == []
    assert request["errors"] == ["a.yaml: wrong."]
