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
from azureml_pants.code.job_code import JobFieldSet
from azureml_pants.code.job_fields import AzureMLJobEntryPointField, AzureMLJobSourceField
from azureml_pants.code.job_units import JobUnits, JobUnitsRequest
from azureml_pants.code.listed_packages import ListedPackages
from azureml_pants.environment.packages import InstalledPackages, InstallPackagesRequest
from azureml_pants.job.inputs import JobInputs
from azureml_pants.job.run import RunJobFieldSet, run_job
from azureml_pants.job.run_inputs import RunInputsRequest, gather_run
from azureml_pants.job_tool.azure_packages import AzurePackages, AzurePackagesRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from pants.backend.python.dependency_inference.module_mapper import (
    ModuleProvider,
    ModuleProviderType,
    ThirdPartyPythonModuleMapping,
)
from pants.backend.python.target_types import PythonRequirementTarget, PythonResolveField
from pants.core.goals.run import RunRequest
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_DIGEST, CreateDigest, Digest, FileContent, MergeDigests
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks
from pants.util.frozendict import FrozenDict

ADDRESS = Address("src/x", target_name="job")
AZURE = PackagesVenv("/cache/azure", "seed-azure")
UNITS = tuple(
    UnitFiles(name, (), context, LockedPackages("main", "main.lock", "", (f"of-{name}",)))
    for name, context in [("built", ("docker/Dockerfile",)), ("registered", ())]
)
PACKAGES = tuple(
    PythonRequirementTarget({"requirements": [name]}, Address("", target_name=name))
    for name in ("of-built", "other", "types-other")
)
IMPL, STUB = ModuleProviderType.IMPL, ModuleProviderType.TYPE_STUB
MODULES = {
    name: (ModuleProvider(package.address, kind),)
    for name, package, kind in zip(("mine", "other.a", "stubs"), PACKAGES, (IMPL, IMPL, STUB))
}
LISTED = ListedPackages(
    PACKAGES,
    ThirdPartyPythonModuleMapping(FrozenDict({"main": FrozenDict(MODULES)})),
    FrozenDict(),
)


def run(
    *arguments: str,
    errors: tuple[str, ...] = (),
    runtime: str = "auto",
    azure: PackagesVenv | None = None,
    runs_here: bool = True,
    has_sweep: bool = False,
) -> tuple[RunRequest, dict, list[str]]:
    """Return what `run src/x:job -- ARGUMENTS` starts, its request, and what was installed."""
    gathered = JobRequest(
        address=str(ADDRESS),
        job_file="src/x/azure-ml-job.yaml",
        documents=("src/x/azure-ml-job.yaml",),
        units=UNITS,
        versions={},
        errors=errors,
    )
    read = JobUnits(gathered.documents, (), (), "", runs_here, has_sweep)
    written: list[FileContent] = []
    installed: list[str] = []

    def install(request: InstallPackagesRequest) -> InstalledPackages:
        names = " ".join(request.requirements) if request.requirements is not None else "all"
        installed.append(f"{request.resolve}: {names}")
        return InstalledPackages(EMPTY_DIGEST, PackagesVenv(installed[-1], "seed"))

    def create(request: Iterable[FileContent]) -> Digest:
        written.extend(request)
        return EMPTY_DIGEST

    merge = MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST)

    def gather(request: RunInputsRequest) -> JobInputs:
        return run_rule_with_mocks(
            gather_run,
            rule_args=[request, RuntimeOptions(runtime, ("--gpus", "all")), LISTED],
            mock_gets=[
                MockGet(JobInputs, (JobFieldSet,), lambda _: JobInputs(gathered, EMPTY_DIGEST)),
                MockGet(JobUnits, (JobUnitsRequest,), lambda _: read),
                MockGet(
                    AzurePackages,
                    (AzurePackagesRequest,),
                    lambda _: AzurePackages(EMPTY_DIGEST, azure),
                ),
                MockGet(InstalledPackages, (InstallPackagesRequest,), install),
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
        ],
        mock_gets=[
            MockGet(JobInputs, (RunInputsRequest,), gather),
            MockGet(
                JobTool, (JobToolRequest,), lambda _: JobTool(EMPTY_DIGEST, "python", "tool/run.py")
            ),
            MockGet(Digest, (CreateDigest,), create),
            merge,
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
    assert (request["azure"], request["search"]) == (None, None)


def test_a_foreign_environment_has_all_packages_and_ours_what_its_code_imports() -> None:
    _, request, _ = run()
    built, registered = request["units"]
    assert built["venv"] == {"prefix": "main: of-built", "seed": "seed"}
    assert registered["venv"]["prefix"] == "main: all"
    # What the first lacks, although the list has it.
    assert built["unused_modules"] == [["other.a", "//:other"]]
    assert registered["unused_modules"] == []


@pytest.mark.parametrize("argument", ["--dry-run", "--help", "-h"])
def test_nothing_is_installed_when_the_tool_only_prints(argument: str) -> None:
    _, request, installed = run("--set", "a=b", argument)
    assert installed == []
    assert request["units"][0]["venv"] is None


@pytest.mark.parametrize(
    "runtime, arguments, has_packages",
    [("docker", (), False), ("docker", ("--runtime=venv",), True), ("venv", (), True)],
)
def test_a_run_in_docker_gets_no_packages_but_those_of_its_search(
    runtime: str, arguments: tuple[str, ...], has_packages: bool
) -> None:
    _, request, _ = run(*arguments, runtime=runtime, has_sweep=True)
    assert [unit["venv"] is not None for unit in request["units"]] == [has_packages] * 2
    # Next to those of the tool.
    assert request["search"]["prefix"].startswith("azureml: PyYAML ")
    assert request["search"]["prefix"].endswith(" optuna scipy")
    assert request["options"]["runtime"] == runtime
    assert request["options"]["run_arguments"] == ["--gpus", "all"]


def test_no_packages_are_installed_for_a_run_in_azure() -> None:
    _, request, installed = run(azure=AZURE)
    assert installed == []
    assert request["azure"] == {"prefix": AZURE.prefix, "seed": AZURE.seed}


def test_nothing_is_installed_for_what_only_azure_ml_runs() -> None:
    assert run(runs_here=False)[2] == []


def test_nothing_is_installed_for_a_job_with_errors() -> None:
    _, request, installed = run(errors=("a.yaml: wrong.",))
    assert installed == []
    assert request["errors"] == ["a.yaml: wrong."]
