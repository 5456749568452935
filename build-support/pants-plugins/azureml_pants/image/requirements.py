"""The `requirements.txt` that a `locked_requirements` target generates."""

from __future__ import annotations

import os.path

from azureml_pants.environment.needed_packages import NeededPackagesRequest
from azureml_pants.environment.packages import LockedRequirements, LockedRequirementsRequest
from azureml_pants.image.target_types import (
    LockedRequirementsFolderField,
    LockedRequirementsSourceField,
)
from pants.core.target_types import FileSourceField
from pants.engine.fs import AddPrefix, Snapshot
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import GeneratedSources, GenerateSourcesRequest
from pants.engine.unions import UnionRule


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
