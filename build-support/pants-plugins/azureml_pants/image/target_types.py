"""The target `locked_requirements`, with its fields."""

from __future__ import annotations

from azureml_pants.environment.fields import LockedRequirementsJobsField
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    OptionalSingleSourceField,
    StringField,
    Target,
)
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
