"""The tag of a built image, which says which environment is in it."""

from __future__ import annotations

from azureml_jobs.protocol import EnvironmentImage
from azureml_pants.environment.fields import DockerImageBuildNetworkField
from azureml_pants.environment.image import EnvironmentImageRequest
from azureml_pants.image.base_images import BaseImages, BaseImagesRequest
from pants.backend.docker.target_types import (
    DockerImageContextRootField,
    DockerImageTags,
    DockerImageTagsRequest,
    DockerImageTarget,
)
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import Target
from pants.engine.unions import UnionRule


class EnvironmentTagRequest(DockerImageTagsRequest):
    @classmethod
    def is_applicable(cls, target: Target) -> bool:
        return bool(target.get(DockerImageContextRootField).value)


@rule
async def tag_by_environment(request: EnvironmentTagRequest) -> DockerImageTags:
    # Pants asks a plugin for tags before it builds, and for nothing else: the place to report what
    # would make the build fail.
    await Get(BaseImages, BaseImagesRequest(request.target))
    image = await Get(EnvironmentImage, EnvironmentImageRequest(request.target))
    return DockerImageTags([image.tag])


def rules():
    return [
        *collect_rules(),
        DockerImageTarget.register_plugin_field(DockerImageBuildNetworkField),
        UnionRule(DockerImageTagsRequest, EnvironmentTagRequest),
    ]
