"""Packages that code imports and that their markers keep out of the image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.imports.messages import excluded_error
from azureml_jobs.imports.result import OutsideModule
from azureml_pants.base.options import AzureMLSubsystem
from azureml_pants.code.import_errors import ImportErrors
from azureml_pants.code.requirement_files import RequirementFiles
from pants.backend.python.pip_requirement import PipRequirement
from pants.backend.python.target_types import PythonRequirementsField
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import DigestContents, PathGlobs
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import Targets
from pants.util.frozendict import FrozenDict


@dataclass(frozen=True)
class UsedPackages:
    """The requirement targets that have a module, for each module that is imported."""

    owners: FrozenDict[OutsideModule, tuple[Address, ...]]
    resolve: str


@rule
async def find_excluded_packages(used: UsedPackages, azureml: AzureMLSubsystem) -> ImportErrors:
    modules = [module for module in used.owners if not module.is_optional]
    found = await MultiGet(Get(Targets, Addresses(used.owners[module])) for module in modules)
    listed = {
        module: [each for target in targets for each in target[PythonRequirementsField].value]
        for module, targets in zip(modules, found)
    }
    if not any(marker_of(each) for requirements in listed.values() for each in requirements):
        return ImportErrors(())
    platform, files = await MultiGet(
        Get(DigestContents, PathGlobs([azureml.image_platform])), Get(RequirementFiles)
    )
    markers = json.loads(platform[0].content).get("marker_environment") if platform else None
    return ImportErrors(
        tuple(
            str(
                excluded_error(
                    module,
                    " and ".join(map(str, requirements)),
                    files.of(used.resolve),
                    azureml.image_platform,
                )
            )
            for module, requirements in listed.items()
            if markers and not any(is_for(each, markers) for each in requirements)
        )
    )


def marker_of(requirement: PipRequirement) -> Any:
    return requirement.as_pkg_resources_requirement().marker


def is_for(requirement: PipRequirement, markers: Mapping[str, str]) -> bool:
    """Return whether a Python with this marker environment gets the requirement."""
    marker = marker_of(requirement)
    return not marker or marker.evaluate({**markers, "extra": ""})
