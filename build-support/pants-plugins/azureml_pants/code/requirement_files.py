"""The files that list the requirements of each resolve."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from azureml_pants.code.build_folders import ListedPackages
from pants.backend.python.macros.python_requirements import PythonRequirementsSourceField
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonRequirementResolveField
from pants.engine.addresses import Addresses
from pants.engine.rules import Get, rule
from pants.engine.target import UnexpandedTargets
from pants.util.frozendict import FrozenDict


@dataclass(frozen=True)
class RequirementFiles:
    by_resolve: FrozenDict[str, tuple[str, ...]]

    def of(self, resolve: str) -> tuple[str, ...]:
        return self.by_resolve.get(resolve, ())


@rule
async def find_requirement_files(
    packages: ListedPackages, python_setup: PythonSetup
) -> RequirementFiles:
    resolve_of = {
        target.address.maybe_convert_to_target_generator(): target[
            PythonRequirementResolveField
        ].normalized_value(python_setup)
        for target in packages.targets
    }
    generators = await Get(UnexpandedTargets, Addresses(resolve_of))
    files = defaultdict(set)
    for target in generators:
        if target.has_field(PythonRequirementsSourceField):
            files[resolve_of[target.address]].add(target[PythonRequirementsSourceField].file_path)
    return RequirementFiles(
        FrozenDict({resolve: tuple(sorted(paths)) for resolve, paths in files.items()})
    )
