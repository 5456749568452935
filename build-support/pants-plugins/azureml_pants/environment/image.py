"""The image that a `docker_image` target builds, with a tag for its content."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.base.digest import content_digest, environment_tag
from azureml_jobs.protocol import REQUIREMENTS_FILE, EnvironmentImage
from azureml_pants.environment.fields import DockerImageBuildNetworkField
from pants.backend.docker.goals.package_image import DockerPackageFieldSet
from pants.backend.docker.target_types import DockerImageSourceField
from pants.core.target_types import FileSourceField
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.fs import Digest, DigestContents, FileContent
from pants.engine.rules import Get, rule
from pants.engine.target import Dependencies, DependenciesRequest, SourcesField, Target, Targets


@dataclass(frozen=True)
class EnvironmentImageRequest:
    target: Target


@dataclass(frozen=True)
class ImageContext:
    """The files that an image is built from, those of its folder `root` and others."""

    root: str
    files: tuple[FileContent, ...]

    def tag(self, requirements: bytes | None = None) -> str:
        """Return the tag of the image, or of one with other generated `requirements`."""
        files = self.files
        if requirements is not None:
            other = FileContent(f"{self.root}/{REQUIREMENTS_FILE}", requirements)
            files = (*(file for file in files if file.path != other.path), other)
        return environment_tag(
            content_digest(
                (file.path[len(self.root) + 1 :], file.content, file.is_executable)
                for file in files
                if file.path.startswith(f"{self.root}/")
            )
        )


@rule
async def find_image_context(request: EnvironmentImageRequest) -> ImageContext:
    image = request.target
    dependencies = await Get(Targets, DependenciesRequest(image.get(Dependencies)))
    sources = await Get(
        SourceFiles,
        SourceFilesRequest(
            [
                image[DockerImageSourceField],
                *(dependency.get(SourcesField) for dependency in dependencies),
            ],
            for_sources_types=(DockerImageSourceField, FileSourceField),
            enable_codegen=True,
        ),
    )
    contents = await Get(DigestContents, Digest, sources.snapshot.digest)
    return ImageContext(context_root(image), tuple(contents))


@rule
async def find_environment_image(request: EnvironmentImageRequest) -> EnvironmentImage:
    context = await Get(ImageContext, EnvironmentImageRequest, request)
    network = request.target.get(DockerImageBuildNetworkField).value
    return EnvironmentImage(str(request.target.address), context.tag(), network)


def context_root(image: Target) -> str:
    """Return the folder that an image is built from, relative to the build root."""
    return DockerPackageFieldSet.create(image).get_context_root("")
