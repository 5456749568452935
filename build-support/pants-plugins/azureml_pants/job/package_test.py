from __future__ import annotations

from unittest.mock import Mock

import pytest
from azureml_jobs.protocol import JobRequest, LockedPackages, UnitFiles
from azureml_pants.base.errors import PluginError
from azureml_pants.base.options import AzureMLSubsystem
from azureml_pants.code.job_fields import AzureMLJobEntryPointField, AzureMLJobSourceField
from azureml_pants.job import package as module
from azureml_pants.job.inputs import JobInputs, JobInputsRequest
from azureml_pants.job.package import PackageJobFieldSet, package_job
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from pants.backend.python.target_types import PythonResolveField
from pants.core.goals.package import BuiltPackage, OutputPathField
from pants.engine.addresses import Address
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.fs import (
    EMPTY_DIGEST,
    AddPrefix,
    CreateDigest,
    Digest,
    MergeDigests,
    PathGlobs,
    RemovePrefix,
)
from pants.engine.process import FallibleProcessResult, Process, ProcessCacheScope
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

ADDRESS = Address("src/x", target_name="job")


def package(
    errors: tuple[str, ...] = (), exit_code: int = 0, stderr: bytes = b""
) -> tuple[BuiltPackage, list[Process]]:
    """Return what `package src/x:job` builds, and the processes that it runs."""
    gathered = JobRequest(
        address=str(ADDRESS),
        job_file="src/x/azure-ml-job.yaml",
        documents=("src/x/azure-ml-job.yaml",),
        units=(UnitFiles("", (), (), LockedPackages("main", "main.lock", "", ())),),
        versions={},
        errors=errors,
    )
    started: list[Process] = []

    def start(process: Process) -> FallibleProcessResult:
        started.append(process)
        return Mock(exit_code=exit_code, stderr=stderr, output_digest=EMPTY_DIGEST)

    built = run_rule_with_mocks(
        package_job,
        rule_args=[
            PackageJobFieldSet(
                ADDRESS,
                AzureMLJobSourceField(None, ADDRESS),
                AzureMLJobEntryPointField(None, ADDRESS),
                PythonResolveField(None, ADDRESS),
                OutputPathField(None, ADDRESS),
            ),
            Mock(spec=AzureMLSubsystem, tool_path="tool"),
            Mock(**{"in_sandbox.return_value.append_only_caches": {}}),
        ],
        mock_gets=[
            MockGet(JobInputs, (JobInputsRequest,), lambda _: JobInputs(gathered, EMPTY_DIGEST)),
            MockGet(
                JobTool, (JobToolRequest,), lambda _: JobTool(EMPTY_DIGEST, "python", "tool/run.py")
            ),
            MockGet(EnvironmentVars, (EnvironmentVarsRequest,), lambda _: EnvironmentVars()),
            MockGet(FallibleProcessResult, (Process,), start),
            *(
                MockGet(Digest, (asked,), lambda _: EMPTY_DIGEST)
                for asked in (PathGlobs, CreateDigest, MergeDigests, RemovePrefix, AddPrefix)
            ),
        ],
    )
    return built, started


@pytest.fixture(autouse=True)
def _repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "get_buildroot", lambda: "/repository")


def test_the_bundle_is_a_folder_below_dist() -> None:
    built, _ = package()
    assert [artifact.relpath for artifact in built.artifacts] == ["src.x/job"]


def test_the_job_tool_writes_the_bundle() -> None:
    _, (process,) = package()
    assert process.argv == (
        *("python", "tool/run.py", "bundle", "--request", "request.json"),
        *("--output", "bundle", "--repository", "/repository"),
    )
    assert process.output_directories == ("bundle",)
    # What git says may change while all files stay as they are.
    assert process.cache_scope == ProcessCacheScope.PER_SESSION


def test_does_not_bundle_a_job_with_errors() -> None:
    with pytest.raises(PluginError, match=r"^a.yaml: wrong\.$"):
        package(errors=("a.yaml: wrong.",))


def test_raises_the_message_of_the_job_tool() -> None:
    with pytest.raises(PluginError, match=r"^a.yaml: unknown key\.$"):
        package(exit_code=2, stderr=b"a.yaml: unknown key.\n")


def test_logs_the_warnings_of_the_job_tool(caplog: pytest.LogCaptureFixture) -> None:
    package(stderr=b"warning: src/x/main.py:3: names a.csv.\n")
    assert caplog.messages == ["warning: src/x/main.py:3: names a.csv."]
