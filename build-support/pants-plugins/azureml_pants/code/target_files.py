"""Every file and every locked requirement that a target needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from azureml_jobs.bundle.layout import archive_path
from azureml_jobs.protocol import NeededFile
from azureml_pants.code.environment_files import (
    EnvironmentFieldSet,
    JobDependencies,
    JobDependenciesRequest,
)
from azureml_pants.code.owners import SNAPSHOT_SOURCES, importers
from pants.backend.python.target_types import PythonRequirementsField
from pants.engine.addresses import Address
from pants.engine.fs import Digest, MergeDigests, PathGlobs, Snapshot
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    Dependencies,
    DependenciesRequest,
    HydratedSources,
    HydrateSourcesRequest,
    SourcesField,
    Target,
    Targets,
    TransitiveTargets,
    TransitiveTargetsRequest,
)
from pants.source.source_root import OptionalSourceRootsResult, SourceRootsRequest
from pants.util.frozendict import FrozenDict


@dataclass(frozen=True)
class TargetFilesRequest:
    """`code_folder` keeps the names of what is in it; without one only source roots count."""

    address: Address
    code_folder: str | None = None


@dataclass(frozen=True)
class TargetFiles:
    """`digest` holds the files at their paths in the repository; `requirements` are sorted."""

    digest: Digest
    files: tuple[NeededFile, ...]
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class ReachedTargets:
    """What a target reaches by its code; `importer_of` names for each the one that needs it."""

    targets: tuple[Target, ...]
    importer_of: FrozenDict[Address, Address]


@rule
async def find_reached_targets(request: TargetFilesRequest) -> ReachedTargets:
    transitive = await Get(TransitiveTargets, TransitiveTargetsRequest([request.address]))
    dependencies = await MultiGet(
        Get(Targets, DependenciesRequest(target.get(Dependencies))) for target in transitive.closure
    )
    jobs = [target for target in transitive.closure if EnvironmentFieldSet.is_applicable(target)]
    separated = await MultiGet(Get(JobDependencies, JobDependenciesRequest(job)) for job in jobs)
    dependencies_of_job = dict(zip((job.address for job in jobs), separated))
    edges = (
        (target.address, without_environment(found, dependencies_of_job.get(target.address)))
        for target, found in zip(transitive.closure, dependencies)
    )
    importer_of = importers(edges, request.address)
    return ReachedTargets(
        tuple(target for target in transitive.dependencies if target.address in importer_of),
        FrozenDict(importer_of),
    )


def without_environment(
    dependencies: Iterable[Target], of_job: JobDependencies | None
) -> list[Address]:
    """Return the addresses of `dependencies` but for what is only in a job's environment."""
    return [
        target.address
        for target in dependencies
        if of_job is None or not of_job.is_environment_only(target.address)
    ]


@rule(desc="Collect the files that a target needs")
async def collect_target_files(request: TargetFilesRequest) -> TargetFiles:
    reached = await Get(ReachedTargets, TargetFilesRequest, request)
    sources = await MultiGet(
        Get(
            HydratedSources,
            HydrateSourcesRequest(
                target.get(SourcesField),
                for_sources_types=SNAPSHOT_SOURCES,
                enable_codegen=True,
            ),
        )
        for target in reached.targets
    )
    owner_of = {
        path: target.address
        for target, hydrated in zip(reached.targets, sources)
        for path in hydrated.snapshot.files
    }
    roots = await Get(
        OptionalSourceRootsResult, SourceRootsRequest, SourceRootsRequest.for_files(owner_of)
    )
    root_of = {path: _root_path(roots.path_to_optional_root[PurePath(path)]) for path in owner_of}
    # Pants finds the `__init__.py` of packages by their paths, too, when it runs Python.
    root_of_init = init_files(root_of)
    inits = await Get(Snapshot, PathGlobs(sorted(root_of_init)))
    digest = await Get(
        Digest, MergeDigests((inits.digest, *(found.snapshot.digest for found in sources)))
    )
    root_of.update((path, root_of_init[path]) for path in inits.files)
    return TargetFiles(
        digest=digest,
        files=tuple(
            NeededFile(
                path=path,
                name=archive_path(path, root_of[path], request.code_folder),
                owner=str(owner_of.get(path, "")),
                why=_reason(owner_of.get(path), reached.importer_of, request.address),
            )
            for path in sorted(root_of)
        ),
        requirements=requirements_of(reached.targets),
    )


def requirements_of(targets: Iterable[Target]) -> tuple[str, ...]:
    found = {
        str(requirement)
        for target in targets
        if target.has_field(PythonRequirementsField)
        for requirement in target[PythonRequirementsField].value
    }
    return tuple(sorted(found))


def _root_path(found) -> str:
    root = found.source_root.path if found.source_root else ""
    return "" if root == "." else root


def init_files(root_of: Mapping[str, str]) -> dict[str, str]:
    """Return the possible `__init__.py` of the packages that hold the Python files of `root_of`.

    Maps each to its source root, as `root_of` does. There are none in a source root itself and
    above it, and none that `root_of` has already.
    """
    found = {}
    for path, root in root_of.items():
        if path.endswith((".py", ".pyi")):
            for folder in PurePath(path).relative_to(root).parents:
                if folder.name:
                    found[str(PurePath(root) / folder / "__init__.py")] = root
    return {path: root for path, root in found.items() if path not in root_of}


def _reason(owner: Address | None, importer_of: Mapping[Address, Address], root: Address) -> str:
    if owner is None:
        return "makes its folder a package"
    importer = importer_of.get(owner)
    if importer is None or importer == root:
        return f"run or named by {root}"
    name = importer.filename if importer.is_file_target else str(importer)
    return f"needed by {name}"


def rules():
    return collect_rules()
