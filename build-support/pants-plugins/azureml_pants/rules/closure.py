"""The closure of a target: every file and every locked requirement that it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from azureml_jobs.protocol import ClosureFile
from azureml_pants.ownership import SNAPSHOT_SOURCES, importers
from azureml_pants.rules.environment_files import (
    EnvironmentAlone,
    EnvironmentAloneRequest,
    EnvironmentFieldSet,
)
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
    Targets,
    TransitiveTargets,
    TransitiveTargetsRequest,
)
from pants.source.source_root import OptionalSourceRootsResult, SourceRootsRequest


@dataclass(frozen=True)
class ClosureRequest:
    address: Address


@dataclass(frozen=True)
class Closure:
    """`digest` holds the files at their paths in the repository; `requirements` are sorted."""

    digest: Digest
    files: tuple[ClosureFile, ...]
    requirements: tuple[str, ...]


@rule(desc="Collect the files of a job")
async def collect_closure(request: ClosureRequest) -> Closure:
    transitive = await Get(TransitiveTargets, TransitiveTargetsRequest([request.address]))
    dependencies = await MultiGet(
        Get(Targets, DependenciesRequest(target.get(Dependencies))) for target in transitive.closure
    )
    jobs = [target for target in transitive.closure if EnvironmentFieldSet.is_applicable(target)]
    environments = await MultiGet(
        Get(EnvironmentAlone, EnvironmentAloneRequest(job)) for job in jobs
    )
    environment_of = {job.address: found for job, found in zip(jobs, environments)}
    through = importers(
        (
            (
                target.address,
                (
                    found.address
                    for found in reached
                    if target.address not in environment_of
                    or not environment_of[target.address].holds(found.address)
                ),
            )
            for target, reached in zip(transitive.closure, dependencies)
        ),
        request.address,
    )
    targets = [target for target in transitive.dependencies if target.address in through]
    sources = await MultiGet(
        Get(
            HydratedSources,
            HydrateSourcesRequest(
                target.get(SourcesField),
                for_sources_types=SNAPSHOT_SOURCES,
                enable_codegen=True,
            ),
        )
        for target in targets
    )
    owners = {
        path: target.address
        for target, hydrated in zip(targets, sources)
        for path in hydrated.snapshot.files
    }
    roots = await Get(
        OptionalSourceRootsResult, SourceRootsRequest, SourceRootsRequest.for_files(owners)
    )
    root_of = {path: _root_path(roots.path_to_optional_root[PurePath(path)]) for path in owners}
    # Packages' `__init__.py` are found by place, as Pants does when it runs Python.
    root_of_marker = package_markers(root_of)
    markers = await Get(Snapshot, PathGlobs(sorted(root_of_marker)))
    digest = await Get(
        Digest,
        MergeDigests((markers.digest, *(found.snapshot.digest for found in sources))),
    )
    root_of.update((path, root_of_marker[path]) for path in markers.files)
    return Closure(
        digest=digest,
        files=tuple(
            ClosureFile(
                path=path,
                source_root=root_of[path],
                owner=str(owners.get(path, "")),
                why=_reason(owners.get(path), through, request.address),
            )
            for path in sorted(root_of)
        ),
        requirements=tuple(
            sorted(
                {
                    str(requirement)
                    for target in targets
                    if target.has_field(PythonRequirementsField)
                    for requirement in target[PythonRequirementsField].value
                }
            )
        ),
    )


def _root_path(found) -> str:
    root = found.source_root.path if found.source_root else ""
    return "" if root == "." else root


def package_markers(root_of: Mapping[str, str]) -> dict[str, str]:
    """Where the `__init__.py` of the packages would stand that hold the Python files of `root_of`.

    Maps each to its source root, as `root_of` does. Those of a source root itself and above it make
    no package, and files of a closure have them already.
    """
    found = {}
    for path, root in root_of.items():
        if path.endswith((".py", ".pyi")):
            for folder in PurePath(path).relative_to(root).parents:
                if folder.name:
                    found[str(PurePath(root) / folder / "__init__.py")] = root
    return {path: root for path, root in found.items() if path not in root_of}


def _reason(owner: Address | None, through: dict, root: Address) -> str:
    if owner is None:
        return "makes its folder a package"
    importer = through.get(owner)
    if importer is None or importer == root:
        return f"run or named by {root}"
    name = importer.filename if importer.is_file_target else str(importer)
    return f"needed by {name}"


def rules():
    return collect_rules()
