"""The fields that connect targets with the images that they run in."""

from __future__ import annotations

from collections.abc import Iterator

from pants.backend.docker.target_types import DockerBuildOptionFieldMixin
from pants.engine.target import SpecialCasedDependencies, StringField
from pants.util.strutil import help_text


class AzureMLImageField(StringField):
    alias = "image"
    help = help_text("""
        Address of the `docker_image` of the experiment's environment, e.g. `:env`.
        """)


class LockedRequirementsJobsField(SpecialCasedDependencies):
    alias = "jobs"
    required = True
    help = help_text("""
        Addresses of what the image runs, e.g. `[":job"]`.
        """)


class DockerImageBuildNetworkField(DockerBuildOptionFieldMixin, StringField):
    alias = "build_network"
    docker_build_option = "--network"
    help = help_text("""
        The network that the steps of the build use, e.g. `host`. Docker chooses when unset.
        """)

    def option_values(self, **_) -> Iterator[str]:
        if self.value:
            yield self.value
