from __future__ import annotations

import json
from unittest.mock import Mock

from azureml_jobs.command import EntryPoint
from azureml_jobs.snapshot.request import ClosureFile, PackagesVenv
from azureml_pants.rules.closure import Closure, ClosureRequest
from azureml_pants.rules.entry_points import EntryPointOwners, LocalEntryPointRequest
from azureml_pants.rules.imports import ImportMistakes, ImportMistakesRequest
from azureml_pants.rules.packages import InstalledPackages, InstallPackagesRequest
from azureml_pants.rules.run_local import RunLocalFieldSet, run_local_script
from azureml_pants.rules.tool import JobTool, JobToolRequest
from azureml_pants.target_types import AzureMLLocalEntryPointField
from pants.backend.python.target_types import PythonResolveField
from pants.core.goals.run import RunRequest
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_DIGEST, AddPrefix, CreateDigest, Digest, FileContent, MergeDigests
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

ADDRESS = Address("src/x", target_name="local")


def run(
    owners: EntryPointOwners, import_mistakes: tuple[str, ...] = ()
) -> tuple[RunRequest, dict, list[Address]]:
    """What is run for `run src/x:local`, the request, and whose packages were made."""
    written: list[FileContent] = []
    installed: list[Address] = []

    def install(request: InstallPackagesRequest) -> InstalledPackages:
        installed.append(request.address)
        return InstalledPackages(EMPTY_DIGEST, PackagesVenv("/cache/venv", "seed"))

    def create(request: CreateDigest) -> Digest:
        written.extend(request)
        return EMPTY_DIGEST

    files = (ClosureFile("src/x/local.py", "src", "src/x/local.py:lib", ""),)
    result = run_rule_with_mocks(
        run_local_script,
        rule_args=[
            RunLocalFieldSet(
                ADDRESS,
                AzureMLLocalEntryPointField("local.py", ADDRESS),
                PythonResolveField(None, ADDRESS),
            ),
            Mock(),
        ],
        mock_gets=[
            MockGet(EntryPointOwners, (LocalEntryPointRequest,), lambda _: owners),
            MockGet(JobTool, (JobToolRequest,), lambda _: JobTool(EMPTY_DIGEST, "python", "r.py")),
            MockGet(Closure, (ClosureRequest,), lambda _: Closure(EMPTY_DIGEST, files, ())),
            MockGet(
                ImportMistakes, (ImportMistakesRequest,), lambda _: ImportMistakes(import_mistakes)
            ),
            MockGet(Digest, (AddPrefix,), lambda _: EMPTY_DIGEST),
            MockGet(InstalledPackages, (InstallPackagesRequest,), install),
            MockGet(Digest, (CreateDigest,), create),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
        ],
    )
    (file,) = written
    return result, json.loads(file.content), installed


def test_the_job_tool_is_started_on_the_script() -> None:
    # The address of a `python_source` that was written out names no file.
    owner = Address("src/x", target_name="script")
    result, request, installed = run(EntryPointOwners((owner,), ("src/x/local.py",), ()))
    assert result.args == (
        *("{chroot}/python", "r.py", "local", "--request", "{chroot}/request.json"),
        "--",
    )
    assert request["script"] == "src/x/local.py"
    assert request["files"][0]["path"] == "src/x/local.py"
    assert request["mistakes"] == []
    assert installed == [ADDRESS]


def test_nothing_is_installed_for_a_script_that_nobody_owns() -> None:
    missing = EntryPoint("script", "local.py")
    _, request, installed = run(EntryPointOwners((), (), (missing,)))
    (mistake,) = request["mistakes"]
    assert mistake.startswith("src/x:local: entry_point: no target owns the file local.py.")
    assert request["script"] is None
    assert installed == []


def test_nothing_is_installed_for_a_script_with_an_import_that_nobody_owns() -> None:
    owner = Address("src/x", target_name="script")
    found = EntryPointOwners((owner,), ("src/x/local.py",), ())
    _, request, installed = run(found, ("src/x/local.py:1: no package",))
    assert request["mistakes"] == ["src/x/local.py:1: no package"]
    assert installed == []
