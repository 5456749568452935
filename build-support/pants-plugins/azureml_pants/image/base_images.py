"""The check before an image is built: an engine answers, and has or pulls the base images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from azureml_jobs.docker.dockerfile import base_images
from azureml_pants.base.errors import PluginError
from pants.backend.docker.target_types import DockerImageSourceField
from pants.backend.docker.util_rules.docker_binary import DockerBinary
from pants.backend.docker.util_rules.docker_build_args import (
    DockerBuildArgs,
    DockerBuildArgsRequest,
)
from pants.backend.docker.util_rules.docker_build_env import (
    DockerBuildEnvironment,
    DockerBuildEnvironmentRequest,
)
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.fs import Digest, DigestContents
from pants.engine.process import FallibleProcessResult, Process, ProcessCacheScope
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import Target


@dataclass(frozen=True)
class BaseImagesRequest:
    """The images that the Dockerfile of a `docker_image` target starts from."""

    target: Target


@dataclass(frozen=True)
class BaseImages:
    """The engine has all of them."""

    references: tuple[str, ...]


@dataclass(frozen=True)
class DockerCommand:
    """One command of the docker client, which runs again in each session."""

    target: Target
    arguments: tuple[str, ...]
    description: str


@rule
async def docker_command(request: DockerCommand, docker: DockerBinary) -> Process:
    build = await Get(DockerBuildEnvironment, DockerBuildEnvironmentRequest(request.target))
    return Process(
        argv=(docker.path, *request.arguments),
        description=request.description,
        env={**docker.extra_env, **build.environment},
        immutable_input_digests=docker.extra_input_digests,
        cache_scope=ProcessCacheScope.PER_SESSION,
    )


@rule(desc="Look for base images")
async def find_base_images(request: BaseImagesRequest) -> BaseImages:
    sources, arguments = await MultiGet(
        Get(SourceFiles, SourceFilesRequest([request.target[DockerImageSourceField]])),
        Get(DockerBuildArgs, DockerBuildArgsRequest(request.target)),
    )
    (dockerfile,) = await Get(DigestContents, Digest, sources.snapshot.digest)
    references = base_images(dockerfile.content.decode(errors="replace"), pairs(arguments))
    engine = await Get(
        FallibleProcessResult,
        DockerCommand(request.target, ("version",), "Ask the Docker engine"),
    )
    check_engine(engine.exit_code, engine.stderr)
    inspected = await MultiGet(
        Get(
            FallibleProcessResult,
            DockerCommand(
                request.target, ("image", "inspect", reference), f"Look for the image {reference}"
            ),
        )
        for reference in references
    )
    missing = [found for found, result in zip(references, inspected) if result.exit_code != 0]
    pulled = await MultiGet(
        Get(
            FallibleProcessResult,
            DockerCommand(request.target, ("pull", reference), f"Pull the image {reference}"),
        )
        for reference in missing
    )
    for reference, result in zip(missing, pulled):
        check_pull(dockerfile.path, reference, result.exit_code, result.stderr)
    return BaseImages(references)


def pairs(arguments: Iterable[str]) -> dict[str, str]:
    """Return the build arguments with a value; docker reads the others from the environment."""
    return dict(argument.split("=", 1) for argument in arguments if "=" in argument)


def check_engine(exit_code: int, stderr: bytes) -> None:
    """Raise `PluginError` when `docker version` failed."""
    if exit_code != 0:
        raise PluginError(
            f"docker: no engine answers: {_reason(stderr)}\n\n"
            "Start Docker. Everything but images also works without it."
        )


def check_pull(dockerfile: str, image: str, exit_code: int, stderr: bytes) -> None:
    """Raise `PluginError` when `docker pull` failed for the base image of a Dockerfile."""
    if exit_code != 0:
        raise PluginError(
            f"{dockerfile}: FROM: the image {image} could not be pulled: {_reason(stderr)}\n\n"
            "Check its name, the network, and `docker login` for a private registry. To use "
            "another image,\nchange the Dockerfile, or set its build argument: "
            "`--docker-build-args=BASE_IMAGE=…`."
        )


def _reason(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason"
