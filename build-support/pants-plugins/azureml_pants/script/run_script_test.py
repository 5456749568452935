from __future__ import annotations

import json
from collections.abc import Iterable
from unittest.mock import Mock

import pytest
from azureml_jobs.jobfile.command.entry_point import EntryPoint
from azureml_jobs.protocol import EnvironmentImage, NeededFile, PackagesVenv, RuntimeOptions
from azureml_pants.code.entry_points import EntryPointOwners
from azureml_pants.code.imports import ImportErrors, ImportErrorsRequest
from azureml_pants.code.target_files import TargetFiles, TargetFilesRequest
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.environment.runtime import ScriptRuntime, ScriptRuntimeRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from azureml_pants.script.entry_point import LocalEntryPointRequest
from azureml_pants.script.run_local import RunLocalFieldSet, run_local_script
from azureml_pants.script.run_script import RunScriptRequest, run_script
from azureml_pants.script.run_tests import RunTestsFieldSet, run_tests
from azureml_pants.script.target_types import (
    AzureMLLocalEntryPointField,
    AzureMLTestDependenciesField,
)
from pants.backend.python.target_types import PythonResolveField, PythonTestTarget
from pants.core.goals.run import RunRequest
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.engine.addresses import Address
from pants.engine.fs import (
    EMPTY_DIGEST,
    EMPTY_SNAPSHOT,
    AddPrefix,
    CreateDigest,
    Digest,
    FileContent,
    MergeDigests,
)
from pants.engine.target import DependenciesRequest, Targets
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

ADDRESS = Address("src/x", target_name="local")
IMAGE = AzureMLImageField(":env", ADDRESS)
RESOLVE = PythonResolveField(None, ADDRESS)
FILES = (NeededFile("src/x/local.py", "x/local.py", "src/x/local.py:lib", ""),)


def run(
    request: RunScriptRequest, import_errors: tuple[str, ...] = ()
) -> tuple[RunRequest, dict, list]:
    """Return the run, the tool's request, and what the rule asked for."""
    written: list[FileContent] = []
    asked: list = []

    def prepare(wanted: ScriptRuntimeRequest) -> ScriptRuntime:
        asked.append(wanted)
        return ScriptRuntime(
            EMPTY_DIGEST,
            RuntimeOptions("docker"),
            PackagesVenv("/cache/venv", "seed"),
            EnvironmentImage("src/x:env", "env-0123456789ab"),
            adds_packages=True,
        )

    def check(wanted: ImportErrorsRequest) -> ImportErrors:
        asked.append(wanted)
        return ImportErrors(import_errors)

    def create(files: Iterable[FileContent]) -> Digest:
        written.extend(files)
        return EMPTY_DIGEST

    result = run_rule_with_mocks(
        run_script,
        rule_args=[request, Mock(), Mock(enable_resolves=False)],
        mock_gets=[
            MockGet(JobTool, (JobToolRequest,), lambda _: JobTool(EMPTY_DIGEST, "python", "r.py")),
            MockGet(
                TargetFiles,
                (TargetFilesRequest,),
                lambda _: TargetFiles(EMPTY_DIGEST, FILES, ("numpy",)),
            ),
            MockGet(ImportErrors, (ImportErrorsRequest,), check),
            MockGet(Digest, (AddPrefix,), lambda _: EMPTY_DIGEST),
            MockGet(ScriptRuntime, (ScriptRuntimeRequest,), prepare),
            MockGet(Digest, (CreateDigest,), create),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
        ],
    )
    (file,) = written
    return result, json.loads(file.content), asked


def test_starts_the_job_tool_on_the_files() -> None:
    wanted = RunScriptRequest("local", ADDRESS, IMAGE, RESOLVE, script="src/x/local.py")
    result, request, asked = run(wanted)
    assert result.args == (
        *("{chroot}/python", "r.py", "local", "--request", "{chroot}/request.json"),
        "--",
    )
    assert request["script"] == "src/x/local.py"
    assert request["files"][0]["path"] == "src/x/local.py"
    assert request["errors"] == []
    assert request["image"]["tag"] == "env-0123456789ab"
    assert request["adds_packages"] is True
    assert request["options"]["runtime"] == "docker"
    runtime = asked[-1]
    assert (runtime.address, runtime.requirements) == (ADDRESS, ("numpy",))


@pytest.mark.parametrize(
    "image, expected", [(":env", (ADDRESS,)), (None, (Address("src/x", target_name="script"),))]
)
def test_checks_the_imports_of_the_job_only_with_an_image(
    image: str | None, expected: tuple[Address, ...]
) -> None:
    entry_points = (Address("src/x", target_name="script"),)
    field = AzureMLImageField(image, ADDRESS)
    _, _, asked = run(RunScriptRequest("local", ADDRESS, field, RESOLVE, entry_points=entry_points))
    assert asked[0] == ImportErrorsRequest(expected, is_locked=True)


@pytest.mark.parametrize("in_entry_point", [True, False])
def test_sets_up_nothing_for_a_script_that_does_not_run(in_entry_point: bool) -> None:
    own = ("a: wrong.",) if in_entry_point else ()
    wanted = RunScriptRequest("local", ADDRESS, IMAGE, RESOLVE, errors=own)
    _, request, asked = run(wanted, () if in_entry_point else ("a: wrong.",))
    assert request["errors"] == ["a: wrong."]
    assert len(asked) == 1
    assert request["venv"] is None


def local_request(owners: EntryPointOwners) -> RunScriptRequest:
    asked: list[RunScriptRequest] = []

    def start(request: RunScriptRequest) -> RunRequest:
        asked.append(request)
        return RunRequest(digest=EMPTY_DIGEST, args=())

    run_rule_with_mocks(
        run_local_script,
        rule_args=[
            RunLocalFieldSet(
                ADDRESS, AzureMLLocalEntryPointField("local.py", ADDRESS), IMAGE, RESOLVE
            )
        ],
        mock_gets=[
            MockGet(EntryPointOwners, (LocalEntryPointRequest,), lambda _: owners),
            MockGet(RunRequest, (RunScriptRequest,), start),
        ],
    )
    return asked[0]


def test_a_local_script_is_the_file_of_its_entry_point() -> None:
    # The address of a `python_source` that was written out names no file.
    owner = Address("src/x", target_name="script")
    request = local_request(EntryPointOwners((owner,), ("src/x/local.py",), ()))
    assert (request.command, request.script, request.entry_points) == (
        "local",
        "src/x/local.py",
        (owner,),
    )
    assert request.errors == ()


def test_reports_a_local_script_without_an_owner() -> None:
    request = local_request(EntryPointOwners((), (), (EntryPoint("script", "local.py"),)))
    (error,) = request.errors
    assert error.startswith("src/x:local: entry_point: no target owns the file local.py.")
    assert request.script is None


def test_tests_run_with_the_settings_of_pytest_and_in_the_image_alone() -> None:
    asked: list[RunScriptRequest] = []
    address = Address("src/x", target_name="test")
    test = PythonTestTarget({"source": "test_a.py"}, Address("src/x/tests", target_name="a"))

    def start(request: RunScriptRequest) -> RunRequest:
        asked.append(request)
        return RunRequest(digest=EMPTY_DIGEST, args=())

    run_rule_with_mocks(
        run_tests,
        rule_args=[
            RunTestsFieldSet(
                address, AzureMLTestDependenciesField([":tests"], address), IMAGE, RESOLVE
            ),
            Mock(config_request=lambda folders: ConfigFilesRequest()),
        ],
        mock_gets=[
            MockGet(Targets, (DependenciesRequest,), lambda _: Targets([test])),
            MockGet(ConfigFiles, (ConfigFilesRequest,), lambda _: ConfigFiles(EMPTY_SNAPSHOT)),
            MockGet(RunRequest, (RunScriptRequest,), start),
        ],
    )
    assert asked[0].tests == ("src/x/tests/test_a.py",)
    assert asked[0].in_image
