"""Errors about imports that no file and no package of the environment satisfies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.imports.messages import excluded_error, missing_errors
from azureml_jobs.imports.result import OutsideModule
from azureml_pants.base.options import AzureMLSubsystem
from azureml_pants.code.listed_packages import ListedPackages
from pants.backend.python.dependency_inference.default_module_mapping import DEFAULT_MODULE_MAPPING
from pants.backend.python.dependency_inference.subsystem import PythonInferSubsystem
from pants.backend.python.pip_requirement import PipRequirement
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import (
    PythonRequirementResolveField,
    PythonRequirementsField,
)
from pants.engine.addresses import Address
from pants.engine.environment import EnvironmentName
from pants.engine.fs import DigestContents, PathGlobs
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import Target, Targets
from pants.engine.unions import UnionMembership, union
from pants.util.frozendict import FrozenDict


@dataclass(frozen=True)
class MissingModules:
    """Modules that neither a file nor a package of the resolve is."""

    modules: tuple[OutsideModule, ...]
    resolve: str

    def certain(self, is_locked: bool) -> MissingModules:
        """Return those without which the code fails, whatever else its environment has."""
        found = (
            each
            for each in self.modules
            if each.is_certain and (is_locked or each.nearest is not None)
        )
        return MissingModules(tuple(found), self.resolve)

    def without(self, others: MissingModules) -> MissingModules:
        found = (each for each in self.modules if each not in others.modules)
        return MissingModules(tuple(found), self.resolve)


@dataclass(frozen=True)
class ImportErrors:
    """Messages for the user."""

    messages: tuple[str, ...]


@rule
async def describe_missing_modules(
    missing: MissingModules,
    python_infer: PythonInferSubsystem,
    python_setup: PythonSetup,
    packages: ListedPackages,
) -> ImportErrors:
    ignored = tuple(f"{name}." for name in python_infer.ignored_unowned_imports)
    modules = [
        each
        for each in missing.modules
        if not each.is_optional and not f"{each.module}.".startswith(ignored)
    ]
    if not modules:
        return ImportErrors(())
    projects = {each.module: projects_with(each.module) for each in modules}
    listed = {
        requirement.project_name
        for target in packages.targets
        if target[PythonRequirementResolveField].normalized_value(python_setup) == missing.resolve
        for requirement in target[PythonRequirementsField].value
    }
    files = packages.files_of(missing.resolve)
    return ImportErrors(missing_errors(modules, missing.resolve, files, projects, listed))


def projects_with(module: str) -> tuple[str, ...]:
    """Return packages of another name that have the module, as far as Pants knows."""
    return tuple(
        project
        for project, modules in DEFAULT_MODULE_MAPPING.items()
        if any(f"{module}.".startswith(f"{known}.") for known in modules)
    )


@dataclass(frozen=True)
class UsedPackages:
    """The requirement targets that have a module, for each module that is imported."""

    owners: FrozenDict[OutsideModule, tuple[Address, ...]]
    resolve: str


@rule
async def find_excluded_packages(
    used: UsedPackages, packages: ListedPackages, azureml: AzureMLSubsystem
) -> ImportErrors:
    requirements_of = {
        target.address: target[PythonRequirementsField].value for target in packages.targets
    }
    listed = {
        module: [each for address in owners for each in requirements_of[address]]
        for module, owners in used.owners.items()
        if not module.is_optional
    }
    if not any(marker_of(each) for requirements in listed.values() for each in requirements):
        return ImportErrors(())
    platform = await Get(DigestContents, PathGlobs([azureml.image_platform]))
    markers = json.loads(platform[0].content).get("marker_environment") if platform else None
    return ImportErrors(
        tuple(
            str(
                excluded_error(
                    module,
                    " and ".join(map(str, requirements)),
                    packages.files_of(used.resolve),
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


@union(in_scope_types=[EnvironmentName])
@dataclass(frozen=True)
class CheckRequirementsRequest:
    """Check the `python_requirement` targets among `targets`.

    A backend that can say more about them than whether a file imports them, such as whether a lock
    has them, adds a member to this union.
    """

    targets: tuple[Target, ...]


@dataclass(frozen=True)
class RequirementErrors:
    """Messages for the user."""

    messages: tuple[str, ...]


@rule
async def check_requirements(
    targets: Targets, union_membership: UnionMembership
) -> RequirementErrors:
    found = await MultiGet(
        Get(RequirementErrors, CheckRequirementsRequest, kind(tuple(targets)))
        for kind in union_membership.get(CheckRequirementsRequest)
    )
    return RequirementErrors(tuple(message for each in found for message in each.messages))
