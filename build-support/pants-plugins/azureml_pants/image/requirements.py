"""The target `locked_requirements`, and the `requirements.txt` that it generates."""

from __future__ import annotations

import os.path

from azureml_pants.environment.fields import LockedRequirementsJobsField
from azureml_pants.environment.needed_packages import NeededPackagesRequest
from azureml_pants.environment.packages import (
    LockedRequirements,
    LockedRequirementsRequest,
)
from pants.core.target_types import FileSourceField
from pants.engine.fs import AddPrefix, Snapshot
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    GeneratedSources,
    GenerateSourcesRequest,
    OptionalSingleSourceField,
    StringField,
    Target,
)
from pants.engine.unions import UnionRule
from pants.util.strutil import help_text


class LockedRequirementsSourceField(OptionalSingleSourceField):
    # There is no source, because the file is generated. Pants generates sources from such a field.
    alias = "_source"
    uses_source_roots = False
    expected_num_files = 0


class LockedRequirementsFolderField(StringField):
    alias = "folder"
    default = "docker"
    help = help_text("""
        Folder of the generated file, relative to the BUILD file, e.g. `docker`: that of the
        Dockerfile that copies it.
        """)


class LockedRequirementsTarget(Target):
    alias = "locked_requirements"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        LockedRequirementsSourceField,
        LockedRequirementsFolderField,
        LockedRequirementsJobsField,
    )
    help = help_text("""
        A `requirements.txt` for an image: the locked packages that a job imports, with hashes.

        The file is generated. It is in the build context of every `docker_image` that depends on
        this target. It changes when the job imports another package or when the lock changes, but
        not for other edits of code; so does the image.

        Example: `locked_requirements(name="requirements", folder="docker", jobs=[":job"])`.
        """)


class GenerateLockedRequirements(GenerateSourcesRequest):
    input = LockedRequirementsSourceField
    output = FileSourceField


@rule(desc="Write the requirements of an image")
async def generate_locked_requirements(request: GenerateLockedRequirements) -> GeneratedSources:
    target = request.protocol_target
    # The digest depends on the names of packages alone: an edit of code that imports the same ones
    # does not rebuild the image.
    needed = await Get(LockedRequirementsRequest, NeededPackagesRequest(target))
    locked = await Get(LockedRequirements, LockedRequirementsRequest, needed)
    folder = os.path.join(
        target.address.spec_path, target[LockedRequirementsFolderField].value or ""
    )
    return GeneratedSources(await Get(Snapshot, AddPrefix(locked.digest, os.path.normpath(folder))))


def rules():
    return [*collect_rules(), UnionRule(GenerateSourcesRequest, GenerateLockedRequirements)]
