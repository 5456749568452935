"""The tags of a built image, which say which environments are in it."""

from __future__ import annotations

from azureml_pants.environment.fields import (
    DockerImageBuildNetworkField,
    LockedRequirementsJobsField,
)
from azureml_pants.environment.image import EnvironmentImageRequest, ImageContext
from azureml_pants.environment.needed_packages import UnitPackages, UnitPackagesRequest
from azureml_pants.environment.packages import LockedRequirements, LockedRequirementsRequest
from azureml_pants.image.base_images import BaseImages, BaseImagesRequest
from pants.backend.docker.target_types import (
    DockerImageContextRootField,
    DockerImageTags,
    DockerImageTagsRequest,
    DockerImageTarget,
)
from pants.engine.fs import Digest, DigestContents
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import Dependencies, DependenciesRequest, Target, Targets
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
    context, dependencies = await MultiGet(
        Get(ImageContext, EnvironmentImageRequest(request.target)),
        Get(Targets, DependenciesRequest(request.target[Dependencies])),
    )
    # Commands that import less have environments of their own, and this image has their packages.
    packages = await MultiGet(
        Get(UnitPackages, UnitPackagesRequest(each, context.root))
        for each in dependencies
        if each.has_field(LockedRequirementsJobsField)
    )
    locked = await MultiGet(
        Get(LockedRequirements, LockedRequirementsRequest, part)
        for each in packages
        for part in each.requests
    )
    contents = await MultiGet(Get(DigestContents, Digest, each.digest) for each in locked)
    tags = {context.tag(requirements.content) for (requirements,) in contents}
    return DockerImageTags(sorted({context.tag(), *tags}))


def rules():
    return [
        *collect_rules(),
        DockerImageTarget.register_plugin_field(DockerImageBuildNetworkField),
        UnionRule(DockerImageTagsRequest, EnvironmentTagRequest),
    ]
