from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
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
from azureml_pants.environment.packages import (
    InstalledPackages,
    InstallPackagesRequest,
    LockedRequirements,
    LockedRequirementsRequest,
)
from azureml_pants.environment.runtime import NamedImage, NamedImageRequest
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
CODE = ScriptCode(
    LoadedCodeRequest(ADDRESS, "main", Code(None, ""), CommandCode((), (), (), ()), ""),
    folders=("src/x",),
    search_path=("x", ""),
    has_job=True,
)
FILES = (NeededFile("src/x/local.py", "x/local.py", "src/x/local.py:lib", ""),)


def run(
    runtime: str = "auto",
    image: str | None = ":env",
    imports: tuple[str, ...] = ("numpy",),
    import_errors: tuple[str, ...] = (),
    **fields: Any,
) -> tuple[dict, list]:
    """Return the tool's request for a script whose image has numpy, and what the rule asked for."""
    written: list[FileContent] = []
    asked: list = []

    def check(wanted: CheckedCodeRequest) -> CheckedCode:
        asked.append(wanted)
        return CheckedCode(FILES, EMPTY_DIGEST, imports, import_errors, ())

    def choose(wanted: LockedRequirementsRequest) -> LockedRequirements:
        asked.append(wanted)
        return Mock(digest=EMPTY_DIGEST)

    def create(files: Iterable[FileContent]) -> Digest:
        written.extend(files)
        return EMPTY_DIGEST

    run_rule_with_mocks(
        run_script,
        rule_args=[
            RunScriptRequest("local", AzureMLImageField(image, ADDRESS), CODE, **fields),
            Mock(),
            RuntimeOptions(runtime),
        ],
        mock_gets=[
            MockGet(JobTool, (JobToolRequest,), lambda _: JobTool(EMPTY_DIGEST, "python", "r.py")),
            MockGet(CheckedCode, (CheckedCodeRequest,), check),
            MockGet(Digest, (AddPrefix,), lambda _: EMPTY_DIGEST),
            MockGet(
                NamedImage,
                (NamedImageRequest,),
                lambda _: NamedImage(
                    EnvironmentImage("src/x:env", "env-0123456789ab"),
                    frozenset({"numpy", "pandas"}),
                ),
            ),
            MockGet(LockedRequirements, (LockedRequirementsRequest,), choose),
            MockGet(
                InstalledPackages,
                (InstallPackagesRequest,),
                lambda _: InstalledPackages(EMPTY_DIGEST, PackagesVenv("/cache/venv", "seed")),
            ),
            MockGet(Digest, (CreateDigest,), create),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
        ],
    )
    (file,) = written
    return json.loads(file.content), asked


@pytest.mark.parametrize("image", [":env", None])
def test_packages_are_certain_only_with_an_image(image: str | None) -> None:
    _, asked = run(image=image)
    assert asked[0] == CheckedCodeRequest(CODE.request, is_locked=image is not None)


@pytest.mark.parametrize("in_entry_point", [True, False])
def test_sets_up_nothing_for_a_script_that_does_not_run(in_entry_point: bool) -> None:
    own = ("a: wrong.",) if in_entry_point else ()
    imported = () if in_entry_point else ("a: wrong.",)
    request, asked = run(imports=("pytest",), import_errors=imported, errors=own)
    assert request["errors"] == ["a: wrong."]
    assert len(asked) == 1
    assert (request["venv"], request["image"]) == (None, None)


@pytest.mark.parametrize(
    "runtime, has_image, has_venv",
    [("auto", True, True), ("docker", True, False), ("venv", False, True)],
)
def test_sets_up_only_what_may_be_used(runtime: str, has_image: bool, has_venv: bool) -> None:
    request, asked = run(runtime)
    assert (request["image"] is not None, request["venv"] is not None) == (has_image, has_venv)
    assert (request["adds_packages"], len(asked)) == (False, 1)
    assert request["options"]["runtime"] == runtime


def test_what_needs_the_image_gets_no_virtual_environment() -> None:
    request, _ = run("venv", in_image=True)
    assert request["image"]["address"] == "src/x:env" and request["venv"] is None
    assert request["options"]["runtime"] == "docker"


def test_packages_missing_from_the_image_become_a_layer() -> None:
    request, asked = run(imports=("numpy", "pytest"))
    assert request["adds_packages"]
    assert asked[1:] == [LockedRequirementsRequest("main", ("numpy", "pytest"))]


def test_without_an_image_there_is_a_virtual_environment() -> None:
    request, _ = run(image=None)
    assert (request["image"], request["venv"]["prefix"]) == (None, "/cache/venv")
