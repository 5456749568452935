"""What a script runs in on this machine: Pants' options, and the image that a target names."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.protocol import EnvironmentImage, RuntimeOptions
from azureml_pants.base.errors import raise_errors
from azureml_pants.base.options import AzureMLSubsystem
from azureml_pants.environment.fields import AzureMLImageField, LockedRequirementsJobsField
from azureml_pants.environment.image import EnvironmentImageRequest
from azureml_pants.environment.needed_packages import NeededPackagesRequest
from azureml_pants.environment.packages import LockedRequirementsRequest
from pants.backend.docker.subsystems.docker_options import DockerOptions
from pants.backend.docker.target_types import DockerImageSourceField
from pants.engine.addresses import Address, UnparsedAddressInputs
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import Dependencies, DependenciesRequest, Targets, UnexpandedTargets

# Pants adds these by default. The job tool adds them only when there is a terminal.
_TERMINAL_ARGUMENTS = frozenset({"--interactive", "--tty"})


@rule
async def find_runtime_options(azureml: AzureMLSubsystem, docker: DockerOptions) -> RuntimeOptions:
    return RuntimeOptions(
        runtime=azureml.runtime.value,
        run_arguments=tuple(each for each in docker.run_args if each not in _TERMINAL_ARGUMENTS),
        build_arguments=tuple(docker.build_args),
    )


@dataclass(frozen=True)
class NamedImageRequest:
    """The image that the field of a target names; the field must be set."""

    address: Address
    field: AzureMLImageField


@dataclass(frozen=True)
class NamedImage:
    """`requirements` are the packages that it was built for."""

    image: EnvironmentImage
    requirements: frozenset[str]


@rule
async def find_named_image(request: NamedImageRequest) -> NamedImage:
    (target,) = await Get(
        UnexpandedTargets,
        UnparsedAddressInputs(
            [request.field.value or ""],
            owning_address=request.address,
            description_of_origin=f"the `image` of {request.address}",
        ),
    )
    if not target.has_field(DockerImageSourceField):
        where, what = f"{request.address}: image", f"{target.address} is no `docker_image`"
        raise_errors([str(JobError(where, what, 'Write the address of one, like `image=":env"`.'))])
    image, dependencies = await MultiGet(
        Get(EnvironmentImage, EnvironmentImageRequest(target)),
        Get(Targets, DependenciesRequest(target.get(Dependencies))),
    )
    installed = await MultiGet(
        Get(LockedRequirementsRequest, NeededPackagesRequest(dependency))
        for dependency in dependencies
        if dependency.has_field(LockedRequirementsJobsField)
    )
    return NamedImage(image, frozenset(name for each in installed for name in each.requirements))
