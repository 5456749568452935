from __future__ import annotations

import json
from collections.abc import Iterable
from unittest.mock import Mock

import pytest
from azureml_jobs.jobfile.command.code import Code, CommandCode
from azureml_jobs.protocol import EnvironmentImage, NeededFile, PackagesVenv, RuntimeOptions
from azureml_pants.code.loaded_code import (
    CheckedCode,
    CheckedCodeRequest,
    LoadedCodeRequest,
)
from azureml_pants.code.script_code import ScriptCode
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.environment.runtime import ScriptRuntime, ScriptRuntimeRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from azureml_pants.script.run import RunScriptRequest, run_script
from pants.engine.addresses import Address
from pants.engine.fs import (
    EMPTY_DIGEST,
    AddPrefix,
    CreateDigest,
    Digest,
    FileContent,
    MergeDigests,
)
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

ADDRESS = Address("src/x", target_name="local")
IMAGE = AzureMLImageField(":env", ADDRESS)
CODE = ScriptCode(
    LoadedCodeRequest(ADDRESS, "main", Code(None, ""), CommandCode((), (), (), ()), ""),
    folders=("src/x",),
    search_path=("x", ""),
    has_job=True,
)
FILES = (NeededFile("src/x/local.py", "x/local.py", "src/x/local.py:lib", ""),)


def run(request: RunScriptRequest, import_errors: tuple[str, ...] = ()) -> tuple[dict, list]:
    """Return the tool's request, and what the rule asked for."""
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

    def check(wanted: CheckedCodeRequest) -> CheckedCode:
        asked.append(wanted)
        return CheckedCode(FILES, EMPTY_DIGEST, ("numpy",), import_errors, ())

    def create(files: Iterable[FileContent]) -> Digest:
        written.extend(files)
        return EMPTY_DIGEST

    run_rule_with_mocks(
        run_script,
        rule_args=[request, Mock()],
        mock_gets=[
            MockGet(JobTool, (JobToolRequest,), lambda _: JobTool(EMPTY_DIGEST, "python", "r.py")),
            MockGet(CheckedCode, (CheckedCodeRequest,), check),
            MockGet(Digest, (AddPrefix,), lambda _: EMPTY_DIGEST),
            MockGet(ScriptRuntime, (ScriptRuntimeRequest,), prepare),
            MockGet(Digest, (CreateDigest,), create),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
        ],
    )
    (file,) = written
    return json.loads(file.content), asked


@pytest.mark.parametrize("image", [":env", None])
def test_packages_are_certain_only_with_an_image(image: str | None) -> None:
    field = AzureMLImageField(image, ADDRESS)
    _, asked = run(RunScriptRequest("local", field, CODE))
    assert asked[0] == CheckedCodeRequest(CODE.request, is_locked=image is not None)


@pytest.mark.parametrize("in_entry_point", [True, False])
def test_sets_up_nothing_for_a_script_that_does_not_run(in_entry_point: bool) -> None:
    own = ("a: wrong.",) if in_entry_point else ()
    wanted = RunScriptRequest("local", IMAGE, CODE, errors=own)
    request, asked = run(wanted, () if in_entry_point else ("a: wrong.",))
    assert request["errors"] == ["a: wrong."]
    assert len(asked) == 1
    assert request["venv"] is None
