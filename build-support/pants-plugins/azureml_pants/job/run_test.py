from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
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
from azureml_pants.code.job_units import JobUnits, JobUnitsRequest
from azureml_pants.job.inputs import JobInputs, JobInputsRequest
from azureml_pants.job.local_packages import LocalPackages, LocalPackagesRequest
from azureml_pants.job.run import (
    JobPackages,
    JobPackagesRequest,
    RunJobFieldSet,
    install_job_packages,
    run_job,
)
from azureml_pants.job_tool.azure_packages import AzurePackages, AzurePackagesRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from pants.backend.python.target_types import PythonResolveField
from pants.core.goals.run import RunRequest
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_DIGEST, CreateDigest, Digest, FileContent, MergeDigests
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

ADDRESS = Address("src/x", target_name="job")
UNIT = UnitFiles("", (), (), LockedPackages("main", "main.lock", "", ("numpy",)))
VENV = PackagesVenv("/cache/venv", "seed")
SEARCH = PackagesVenv("/cache/search", "seed-search")
AZURE = PackagesVenv("/cache/azure", "seed-azure")


def run(
    *arguments: str,
    errors: tuple[str, ...] = (),
    runtime: str = "auto",
    azure: PackagesVenv | None = None,
    runs_here: bool = True,
    has_sweep: bool = False,
) -> tuple[RunRequest, dict, int | None]:
    """Return what `run src/x:job -- ARGUMENTS` starts, and its request.

    The last is how many units were given packages, None when nothing was installed.
    """
    gathered = JobRequest(
        address=str(ADDRESS),
        job_file="src/x/azure-ml-job.yaml",
        documents=("src/x/azure-ml-job.yaml",),
        units=(UNIT,),
        versions={},
        errors=errors,
    )
    read = JobUnits(gathered.documents, (), (), "", runs_here, has_sweep)
    written: list[FileContent] = []
    installed: list[int] = []

    def install(request: LocalPackagesRequest) -> LocalPackages:
        installed.append(len(request.units))
        units = tuple(replace(unit, venv=VENV) for unit in request.units)
        return LocalPackages(units, SEARCH if request.has_sweep else None, EMPTY_DIGEST)

    def create(request: Iterable[FileContent]) -> Digest:
        written.extend(request)
        return EMPTY_DIGEST

    options = RuntimeOptions(runtime, ("--gpus", "all"))
    merge = MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST)

    def install_all(request: JobPackagesRequest) -> JobPackages:
        return run_rule_with_mocks(
            install_job_packages,
            rule_args=[request, options],
            mock_gets=[
                MockGet(LocalPackages, (LocalPackagesRequest,), install),
                MockGet(
                    AzurePackages,
                    (AzurePackagesRequest,),
                    lambda _: AzurePackages(EMPTY_DIGEST, azure),
                ),
                merge,
            ],
        )

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
            options,
        ],
        mock_gets=[
            MockGet(JobInputs, (JobInputsRequest,), lambda _: JobInputs(gathered, EMPTY_DIGEST)),
            MockGet(
                JobTool, (JobToolRequest,), lambda _: JobTool(EMPTY_DIGEST, "python", "tool/run.py")
            ),
            MockGet(JobUnits, (JobUnitsRequest,), lambda _: read),
            MockGet(JobPackages, (JobPackagesRequest,), install_all),
            MockGet(Digest, (CreateDigest,), create),
            merge,
        ],
    )
    (file,) = written
    assert file.path == "request.json"
    return result, json.loads(file.content), sum(installed) if installed else None


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
    assert request["units"][0]["venv"] == {"prefix": "/cache/venv", "seed": "seed"}
    assert (request["azure"], request["search"]) == (None, None)


@pytest.mark.parametrize("argument", ["--dry-run", "--help", "-h"])
def test_nothing_is_installed_when_the_tool_only_prints(argument: str) -> None:
    _, request, installed = run("--set", "a=b", argument)
    assert installed is None
    assert request["units"][0]["venv"] is None


@pytest.mark.parametrize(
    "runtime, arguments, installed",
    [("docker", (), 0), ("docker", ("--runtime=venv",), 1), ("venv", (), 1)],
)
def test_a_run_in_docker_gets_no_packages_but_those_of_its_search(
    runtime: str, arguments: tuple[str, ...], installed: int
) -> None:
    _, request, asked = run(*arguments, runtime=runtime, has_sweep=True)
    assert asked == installed
    assert [unit["venv"] is not None for unit in request["units"]] == [bool(installed)]
    assert request["search"] == {"prefix": "/cache/search", "seed": "seed-search"}
    assert request["options"]["runtime"] == runtime
    assert request["options"]["run_arguments"] == ["--gpus", "all"]


def test_no_packages_are_installed_for_a_run_in_azure() -> None:
    _, request, installed = run(azure=AZURE)
    assert installed is None
    assert request["azure"] == {"prefix": AZURE.prefix, "seed": AZURE.seed}


def test_nothing_is_installed_for_what_only_azure_ml_runs() -> None:
    assert run(runs_here=False)[2] is None


def test_nothing_is_installed_for_a_job_with_errors() -> None:
    _, request, installed = run(errors=("a.yaml: wrong.",))
    assert installed is None
    assert request["errors"] == ["a.yaml: wrong."]
