from __future__ import annotations

from unittest.mock import Mock

import pytest
from azureml_jobs.base.digest import content_digest, environment_tag
from azureml_pants.base.errors import PluginError
from azureml_pants.code.imports import ImportErrors, ImportErrorsRequest
from azureml_pants.code.target_files import TargetFiles, TargetFilesRequest
from azureml_pants.environment.fields import DockerImageBuildNetworkField
from azureml_pants.environment.image import context_root, tag_of_context
from azureml_pants.environment.needed_packages import NeededPackagesRequest, find_needed_packages
from azureml_pants.environment.packages import LockedRequirements, LockedRequirementsRequest
from azureml_pants.image.requirements import (
    GenerateLockedRequirements,
    generate_locked_requirements,
)
from azureml_pants.image.tag import EnvironmentTagRequest
from azureml_pants.image.target_types import LockedRequirementsTarget
from azureml_pants.job.target_types import AzureMLJobTarget
from pants.backend.docker.target_types import DockerImageTarget
from pants.engine.addresses import Address, UnparsedAddressInputs
from pants.engine.fs import EMPTY_DIGEST, EMPTY_SNAPSHOT, AddPrefix, FileContent, Snapshot
from pants.engine.target import Targets
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

CONTEXT = [("Dockerfile", b"FROM x\n", False), ("tools/setup.sh", b"echo hi\n", True)]


@pytest.mark.parametrize(
    "value, expected",
    [("./docker", "src/x/docker"), ("src/x/docker", "src/x/docker"), ("./", "src/x")],
    ids=["beside the BUILD file", "from the build root", "the BUILD file's own folder"],
)
def test_the_root_of_a_context(value: str, expected: str) -> None:
    assert context_root(value, "src/x") == expected


def test_the_tag_is_that_of_the_bundle_s_environment() -> None:
    files = [FileContent(f"src/x/docker/{path}", data, run) for path, data, run in CONTEXT]
    elsewhere = FileContent("src/x/docker-old/Dockerfile", b"")
    expected = environment_tag(content_digest(CONTEXT))
    assert tag_of_context("src/x/docker", [*files, elsewhere]) == expected


@pytest.mark.parametrize(
    "fields, expected", [({"context_root": "./docker"}, True), ({}, False)], ids=["own", "none"]
)
def test_images_with_a_context_of_their_own_get_the_tag(fields: dict, expected: bool) -> None:
    image = DockerImageTarget(fields, Address("src/x", target_name="env"))
    assert EnvironmentTagRequest.is_applicable(image) is expected


def needed(*closures: tuple[str, ...], errors: tuple[str, ...] = ()) -> LockedRequirementsRequest:
    """What is asked of the lock for jobs that import these packages."""
    fields = {"jobs": [f":job{number}" for number in range(len(closures))]}
    target = LockedRequirementsTarget(fields, Address("src/x", target_name="requirements"))
    jobs = [
        AzureMLJobTarget({"resolve": "second"}, Address("src/x", target_name=f"job{number}"))
        for number in range(len(closures))
    ]
    reached = {job.address: closure for job, closure in zip(jobs, closures)}
    return run_rule_with_mocks(
        find_needed_packages,
        rule_args=[
            NeededPackagesRequest(target),
            Mock(resolves={"second": "second.lock"}, enable_resolves=True),
        ],
        mock_gets=[
            MockGet(Targets, (UnparsedAddressInputs,), lambda _: Targets(jobs)),
            MockGet(ImportErrors, (ImportErrorsRequest,), lambda _: ImportErrors(errors)),
            MockGet(
                TargetFiles,
                (TargetFilesRequest,),
                lambda request: TargetFiles(EMPTY_DIGEST, (), reached[request.address]),
            ),
        ],
    )


def test_the_lock_is_asked_for_names_of_packages_alone() -> None:
    asked = needed(("numpy",), ("mlflow-skinny", "numpy"))
    assert asked == LockedRequirementsRequest("second", ("mlflow-skinny", "numpy"))


def test_nothing_is_asked_for_an_import_that_nobody_owns() -> None:
    with pytest.raises(PluginError, match="src/x/main.py:1: no package"):
        needed(("numpy",), errors=("src/x/main.py:1: no package",))


@pytest.mark.parametrize(
    "fields, expected",
    [({}, "src/x/docker"), ({"folder": "./images/gpu"}, "src/x/images/gpu")],
    ids=["the usual folder", "another one"],
)
def test_the_file_stands_beside_the_dockerfile_wherever_it_is(fields: dict, expected: str) -> None:
    fields = {"jobs": [":job"], **fields}
    target = LockedRequirementsTarget(fields, Address("src/x", target_name="requirements"))
    prefixes: list[AddPrefix] = []

    def add_prefix(request: AddPrefix) -> Snapshot:
        prefixes.append(request)
        return EMPTY_SNAPSHOT

    run_rule_with_mocks(
        generate_locked_requirements,
        rule_args=[GenerateLockedRequirements(EMPTY_SNAPSHOT, target)],
        mock_gets=[
            MockGet(
                LockedRequirementsRequest,
                (NeededPackagesRequest,),
                lambda _: LockedRequirementsRequest("second", ("numpy",)),
            ),
            MockGet(
                LockedRequirements,
                (LockedRequirementsRequest,),
                lambda _: Mock(digest=EMPTY_DIGEST),
            ),
            MockGet(Snapshot, (AddPrefix,), add_prefix),
        ],
    )
    assert prefixes == [AddPrefix(EMPTY_DIGEST, expected)]


@pytest.mark.parametrize(
    "value, expected",
    [("host", ("--network", "host")), (None, ())],
    ids=["named", "unset"],
)
def test_the_network_of_a_build(value: str | None, expected: tuple[str, ...]) -> None:
    field = DockerImageBuildNetworkField(value, Address("src/x"))
    assert tuple(field.options(value_formatter=str)) == expected
