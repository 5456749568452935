"""What a job's image is built from, and the tag that says which environment is in it."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from azureml_jobs.base.digest import content_digest, environment_tag
from azureml_jobs.protocol import EnvironmentImage
from azureml_pants.failures import check_errors
from azureml_pants.rules.base_images import BaseImages, BaseImagesRequest
from azureml_pants.rules.closure import Closure, ClosureRequest
from azureml_pants.rules.imports import ImportErrors, ImportErrorsRequest
from azureml_pants.rules.packages import LockedRequirements, LockedRequirementsRequest
from azureml_pants.target_types import (
    LockedRequirementsFolderField,
    LockedRequirementsJobsField,
    LockedRequirementsSourceField,
)
from pants.backend.docker.target_types import (
    DockerBuildOptionFieldMixin,
    DockerImageContextRootField,
    DockerImageSourceField,
    DockerImageTags,
    DockerImageTagsRequest,
    DockerImageTarget,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.core.target_types import FileSourceField
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.fs import AddPrefix, Digest, DigestContents, FileContent, Snapshot
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    Dependencies,
    DependenciesRequest,
    GeneratedSources,
    GenerateSourcesRequest,
    SourcesField,
    StringField,
    Target,
    Targets,
)
from pants.engine.unions import UnionRule
from pants.util.strutil import help_text


class DockerImageBuildNetworkField(DockerBuildOptionFieldMixin, StringField):
    alias = "build_network"
    docker_build_option = "--network"
    help = help_text("""
        The network that the steps of the build use, e.g. `host`; Docker's own choice when unset.
        """)

    def option_values(self, **_) -> Iterator[str]:
        if self.value:
            yield self.value


class GenerateLockedRequirements(GenerateSourcesRequest):
    input = LockedRequirementsSourceField
    output = FileSourceField


@dataclass(frozen=True)
class NeededPackagesRequest:
    """What the jobs of a `locked_requirements` target import."""

    target: Target


@rule
async def find_needed_packages(
    request: NeededPackagesRequest, python_setup: PythonSetup
) -> LockedRequirementsRequest:
    field = request.target[LockedRequirementsJobsField]
    jobs = await Get(Targets, UnparsedAddressInputs, field.to_unparsed_address_inputs())
    imports = await Get(
        ImportErrors, ImportErrorsRequest(tuple(job.address for job in jobs), is_locked=True)
    )
    check_errors(imports.messages)
    closures = await MultiGet(Get(Closure, ClosureRequest(job.address)) for job in jobs)
    return LockedRequirementsRequest(
        jobs[0][PythonResolveField].normalized_value(python_setup),
        tuple(sorted({name for closure in closures for name in closure.requirements})),
    )


@rule(desc="Write the requirements of an image")
async def generate_locked_requirements(request: GenerateLockedRequirements) -> GeneratedSources:
    target = request.protocol_target
    # The digest of what follows depends on names of packages alone: an edit of code that imports
    # the same ones leaves the image as it is.
    needed = await Get(LockedRequirementsRequest, NeededPackagesRequest(target))
    locked = await Get(LockedRequirements, LockedRequirementsRequest, needed)
    folder = os.path.join(
        target.address.spec_path, target[LockedRequirementsFolderField].value or ""
    )
    return GeneratedSources(await Get(Snapshot, AddPrefix(locked.digest, os.path.normpath(folder))))


@dataclass(frozen=True)
class EnvironmentImageRequest:
    """The image that a `docker_image` target builds, found by its content."""

    target: Target


class EnvironmentTagRequest(DockerImageTagsRequest):
    @classmethod
    def is_applicable(cls, target: Target) -> bool:
        return bool(target.get(DockerImageContextRootField).value)


@rule
async def tag_by_environment(request: EnvironmentTagRequest) -> DockerImageTags:
    # Pants asks for tags before it builds, and for nothing else of ours. What would fail the build
    # has a message of its own then.
    await Get(BaseImages, BaseImagesRequest(request.target))
    found = await Get(EnvironmentImage, EnvironmentImageRequest(request.target))
    return DockerImageTags([found.tag])


@rule
async def find_environment_image(request: EnvironmentImageRequest) -> EnvironmentImage:
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
    root = context_root(image[DockerImageContextRootField].value or "", image.address.spec_path)
    return EnvironmentImage(
        str(image.address),
        tag_of_context(root, contents),
        image.get(DockerImageBuildNetworkField).value,
    )


def context_root(value: str, build_folder: str) -> str:
    """The folder of a build context, relative to the build root; `./x` is beside the BUILD file."""
    return os.path.normpath(os.path.join(build_folder, value) if value.startswith("./") else value)


def tag_of_context(root: str, files: Iterable[FileContent]) -> str:
    """The tag of an image that is built from those of `files` that are below `root`."""
    return environment_tag(
        content_digest(
            (file.path[len(root) + 1 :], file.content, file.is_executable)
            for file in files
            if file.path.startswith(f"{root}/")
        )
    )


def rules():
    return [
        *collect_rules(),
        DockerImageTarget.register_plugin_field(DockerImageBuildNetworkField),
        UnionRule(DockerImageTagsRequest, EnvironmentTagRequest),
        UnionRule(GenerateSourcesRequest, GenerateLockedRequirements),
    ]
