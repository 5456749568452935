from __future__ import annotations

from unittest.mock import Mock

import pytest
from azureml_pants.base.errors import PluginError
from azureml_pants.image.base_images import (
    BaseImages,
    BaseImagesRequest,
    DockerCommand,
    find_base_images,
    pairs,
)
from pants.backend.docker.target_types import DockerImageTarget
from pants.backend.docker.util_rules.docker_build_args import (
    DockerBuildArgs,
    DockerBuildArgsRequest,
)
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_SNAPSHOT, Digest, DigestContents, FileContent
from pants.engine.process import FallibleProcessResult
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks

DOCKERFILE = b"ARG BASE=python:3.11\nFROM ${BASE}\n"


def find(*, engine: bool = True, has: tuple[str, ...] = (), pulls: bool = True) -> tuple:
    """Return the base images of `DOCKERFILE`, and the commands of docker that ran."""
    commands: list[tuple[str, ...]] = []

    def run(command: DockerCommand) -> FallibleProcessResult:
        commands.append(command.arguments)
        verb = command.arguments[0]
        succeeds = {"version": engine, "image": command.arguments[-1] in has, "pull": pulls}[verb]
        return Mock(exit_code=0 if succeeds else 1, stderr=b"pulling\nno such host\n")

    target = DockerImageTarget({}, Address("src/x", target_name="env"))
    found = run_rule_with_mocks(
        find_base_images,
        rule_args=[BaseImagesRequest(target)],
        mock_gets=[
            MockGet(SourceFiles, (SourceFilesRequest,), lambda _: SourceFiles(EMPTY_SNAPSHOT, ())),
            MockGet(
                DockerBuildArgs,
                (DockerBuildArgsRequest,),
                lambda _: DockerBuildArgs.from_strings("BASE=mine:1", "TOKEN"),
            ),
            MockGet(
                DigestContents,
                (Digest,),
                lambda _: DigestContents([FileContent("src/x/docker/Dockerfile", DOCKERFILE)]),
            ),
            MockGet(FallibleProcessResult, (DockerCommand,), run),
        ],
    )
    return found, commands


def test_does_not_pull_an_image_that_exists() -> None:
    found, commands = find(has=("mine:1",))
    assert found == BaseImages(("mine:1",))
    assert commands == [("version",), ("image", "inspect", "mine:1")]


def test_pulls_a_missing_image() -> None:
    assert find()[1][-1] == ("pull", "mine:1")


def test_reports_an_image_that_cannot_be_pulled() -> None:
    with pytest.raises(PluginError, match="docker/Dockerfile: FROM: the image mine:1 could not be"):
        find(pulls=False)


def test_reports_that_no_engine_answers() -> None:
    with pytest.raises(
        PluginError, match="docker: no engine answers: no such host\n\nStart Docker"
    ):
        find(engine=False)


def test_ignores_build_arguments_without_a_value() -> None:
    assert pairs(["A=b=c", "TOKEN"]) == {"A": "b=c"}
