"""What targets declare that they need: files, generated code and packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from azureml_jobs.protocol import NeededFile
from azureml_pants.code.job_fields import AzureMLJobSourceField, AzureMLLocalEntryPointField
from azureml_pants.code.owners import SNAPSHOT_SOURCES, source_kind
from pants.backend.python.target_types import PythonRequirementsField
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import Digest, MergeDigests
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import (
    Dependencies,
    DependenciesRequest,
    ExplicitlyProvidedDependencies,
    HydratedSources,
    HydrateSourcesRequest,
    SourcesField,
    Target,
    Targets,
    WrappedTarget,
    WrappedTargetRequest,
)
from pants.util.frozendict import FrozenDict


@dataclass(frozen=True)
class TargetCodeRequest:
    """`target` has a command: it is a job, or a local script."""

    target: Target


@dataclass(frozen=True)
class TargetCode:
    """All that the commands of the target load; `generated` holds files that only targets have."""

    address: Address
    files: tuple[NeededFile, ...]
    generated: Digest
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class DeclaredRequest:
    """Find `needed`, and what these and `declaring` name in their `dependencies`, and so on."""

    declaring: tuple[Address, ...]
    needed: tuple[Address, ...] = ()


@dataclass(frozen=True)
class Declared:
    """`owner_of` has all files; `generated` holds those of them that only targets have.

    `namer_of` has, for each file, the target that names its owner in `dependencies`.
    """

    addresses: tuple[Address, ...]
    owner_of: FrozenDict[str, Address]
    namer_of: FrozenDict[str, Address]
    generated: Digest
    requirements: tuple[str, ...]


@rule
async def find_declared(request: DeclaredRequest) -> Declared:
    # One by one: `Targets` would have, in place of a generator, what it generates.
    wrapped = await MultiGet(
        Get(WrappedTarget, WrappedTargetRequest(address, "code that a command loads"))
        for address in (*request.declaring, *request.needed)
    )
    layer = [each.target for each in wrapped]
    reached = {target.address: target for target in layer[len(request.declaring) :]}
    named_by: dict[Address, Address] = {}
    while layer:
        explicit = await MultiGet(
            Get(ExplicitlyProvidedDependencies, DependenciesRequest(target[Dependencies]))
            for target in layer
            if target.get(Dependencies).value
        )
        for each in explicit:
            for address in each.includes:
                named_by.setdefault(address, each.address)
        included = Addresses({address for each in explicit for address in each.includes})
        layer = [
            each for each in await Get(Targets, Addresses, included) if each.address not in reached
        ]
        reached.update((target.address, target) for target in layer)
    targets = list(reached.values())
    hydrated = await MultiGet(
        Get(
            HydratedSources,
            HydrateSourcesRequest(
                target.get(SourcesField), for_sources_types=SNAPSHOT_SOURCES, enable_codegen=True
            ),
        )
        for target in targets
    )
    commands = await MultiGet(
        Get(TargetCode, TargetCodeRequest(target)) for target in targets if has_command(target)
    )
    owner_of = {
        path: target.address
        for target, sources in zip(targets, hydrated)
        for path in sources.snapshot.files
    }
    for code in commands:
        owner_of.update((file.path, code.address) for file in code.files)
    namers = {
        path: named_by.get(owner, named_by.get(owner.maybe_convert_to_target_generator()))
        for path, owner in owner_of.items()
    }
    generated = (
        sources.snapshot.digest
        for target, sources in zip(targets, hydrated)
        if source_kind(target) is None
    )
    return Declared(
        tuple(sorted(reached)),
        FrozenDict(owner_of),
        FrozenDict({path: namer for path, namer in namers.items() if namer}),
        await Get(Digest, MergeDigests((*generated, *(code.generated for code in commands)))),
        tuple(
            sorted(
                {*requirements_of(reached), *(each for c in commands for each in c.requirements)}
            )
        ),
    )


def has_command(target: Target) -> bool:
    return target.has_field(AzureMLJobSourceField) or target.has_field(AzureMLLocalEntryPointField)


def requirements_of(targets: Mapping[Address, Target]) -> set[str]:
    return {
        str(requirement)
        for target in targets.values()
        if target.has_field(PythonRequirementsField)
        for requirement in target[PythonRequirementsField].value
    }
