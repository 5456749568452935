"""Imports that no target and no locked package satisfies, as Pants' own inference finds them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import PurePath

from azureml_jobs.bundle.optional_imports import is_optional_import
from azureml_jobs.bundle.unowned_imports import UnownedImport, import_errors
from azureml_pants.code.requirement_files import RequirementFiles
from pants.backend.python.dependency_inference.default_module_mapping import DEFAULT_MODULE_MAPPING
from pants.backend.python.dependency_inference.module_mapper import (
    PythonModuleOwners,
    PythonModuleOwnersRequest,
)
from pants.backend.python.dependency_inference.parse_python_dependencies import (
    ParsedPythonDependencies,
    ParsePythonDependenciesRequest,
)
from pants.backend.python.dependency_inference.rules import (
    ImportOwnerStatus,
    PythonImportDependenciesInferenceFieldSet,
    ResolvedParsedPythonDependencies,
    ResolvedParsedPythonDependenciesRequest,
    UnownedImportPossibleOwnerRequest,
    UnownedImportPossibleOwners,
)
from pants.backend.python.dependency_inference.subsystem import PythonInferSubsystem
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonSourceField
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.engine.addresses import Address, Addresses
from pants.engine.environment import EnvironmentName
from pants.engine.fs import DigestContents, PathGlobs, Paths
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    ExplicitlyProvidedDependencies,
    Target,
    Targets,
    TransitiveTargets,
    TransitiveTargetsRequest,
)
from pants.engine.unions import UnionMembership, union
from pants.source.source_root import OptionalSourceRoot, SourceRootRequest
from pants.util.frozendict import FrozenDict

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileImportsRequest:
    """Find the unowned imports of one Python file."""

    field_set: PythonImportDependenciesInferenceFieldSet


@dataclass(frozen=True)
class FileImports:
    unowned: tuple[UnownedImport, ...]


@dataclass(frozen=True)
class CandidateImports:
    """Imports of a file for which Pants finds no owner; `line_of` has the line of each module."""

    line_of: FrozenDict[str, int]
    explicit: ExplicitlyProvidedDependencies


@rule
async def find_candidate_imports(
    request: FileImportsRequest, python_setup: PythonSetup, python_infer: PythonInferSubsystem
) -> CandidateImports:
    field_set = request.field_set
    # Exactly what Pants' inference asks, so that nothing is parsed or looked up twice.
    parsed = await Get(
        ParsedPythonDependencies,
        ParsePythonDependenciesRequest(
            field_set.source,
            InterpreterConstraints.create_from_compatibility_fields(
                [field_set.interpreter_constraints], python_setup
            ),
        ),
    )
    resolved = await Get(
        ResolvedParsedPythonDependencies,
        ResolvedParsedPythonDependenciesRequest(
            field_set, parsed, field_set.resolve.normalized_value(python_setup)
        ),
    )
    ignored = tuple(f"{name}." for name in python_infer.ignored_unowned_imports)
    line_of = {
        module: parsed.imports[module].lineno
        for module, found in resolved.resolve_results.items()
        if found.status == ImportOwnerStatus.unowned and not f"{module}.".startswith(ignored)
    }
    return CandidateImports(FrozenDict(line_of), resolved.explicit)


@rule
async def find_unowned_imports_of_file(
    request: FileImportsRequest, python_setup: PythonSetup
) -> FileImports:
    candidates = await Get(CandidateImports, FileImportsRequest, request)
    if not candidates.line_of:
        return FileImports(())
    path = request.field_set.source.file_path
    resolve = request.field_set.resolve.normalized_value(python_setup)
    contents, root = await MultiGet(
        Get(DigestContents, PathGlobs([path])),
        Get(OptionalSourceRoot, SourceRootRequest, SourceRootRequest.for_file(path)),
    )
    text = contents[0].content.decode(errors="replace")
    modules = [
        module
        for module, line in candidates.line_of.items()
        if not is_optional_import(text, line, module)
    ]
    folder = PurePath(root.source_root.path if root.source_root else "")
    owners = await MultiGet(
        Get(PythonModuleOwners, PythonModuleOwnersRequest(module, resolve)) for module in modules
    )
    elsewhere = await MultiGet(
        Get(UnownedImportPossibleOwners, UnownedImportPossibleOwnerRequest(module, resolve))
        for module in modules
    )
    elsewhere_targets = await MultiGet(
        Get(Targets, Addresses(address for address, _ in found.value)) for found in elsewhere
    )
    own_files = await MultiGet(
        Get(Paths, PathGlobs([f"{stem}.py", f"{stem}/**/*.py"]))
        for stem in (folder / module.partition(".")[0] for module in modules)
    )
    return FileImports(
        tuple(
            UnownedImport(
                path=path,
                line=candidates.line_of[module],
                module=module,
                resolve=resolve,
                owners=tuple(str(address) for address in owned.ambiguous),
                elsewhere=tuple(
                    str(target.address) for target in targets if target.has_field(PythonSourceField)
                ),
                projects=projects_with(module),
                is_own_code=bool(files.files),
            )
            for module, owned, targets, files in zip(modules, owners, elsewhere_targets, own_files)
            # Pants calls a module with two owners unowned even when `dependencies` names one.
            if not candidates.explicit.any_are_covered_by_includes(owned.ambiguous)
        )
    )


def projects_with(module: str) -> tuple[str, ...]:
    """Return packages of another name that have the module, as far as Pants knows."""
    return tuple(
        project
        for project, modules in DEFAULT_MODULE_MAPPING.items()
        if any(f"{module}.".startswith(f"{known}.") for known in modules)
    )


@dataclass(frozen=True)
class UnownedImports:
    imports: tuple[UnownedImport, ...]


@dataclass(frozen=True)
class ImportErrors:
    """Messages for the user."""

    messages: tuple[str, ...]


@rule
async def describe_unowned_imports(unowned: UnownedImports) -> ImportErrors:
    if not unowned.imports:
        return ImportErrors(())
    files = await Get(RequirementFiles)
    messages: list[str] = []
    for resolve in sorted({each.resolve for each in unowned.imports}):
        imports = [each for each in unowned.imports if each.resolve == resolve]
        messages.extend(import_errors(imports, files.of(resolve)))
    return ImportErrors(tuple(messages))


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


@dataclass(frozen=True)
class ImportErrorsRequest:
    """Check the imports of every file that `addresses` are or reach.

    `is_locked` says that only the locked packages exist. Otherwise an environment may have more.
    """

    addresses: tuple[Address, ...]
    is_locked: bool


@rule(desc="Check imports")
async def check_imports(request: ImportErrorsRequest) -> ImportErrors:
    transitive = await Get(TransitiveTargets, TransitiveTargetsRequest(request.addresses))
    files = await MultiGet(
        Get(
            FileImports,
            FileImportsRequest(PythonImportDependenciesInferenceFieldSet.create(target)),
        )
        for target in transitive.closure
        if PythonImportDependenciesInferenceFieldSet.is_applicable(target)
    )
    found = [each for file in files for each in file.unowned]
    tolerated = tuple(each for each in found if each.is_package and not request.is_locked)
    errors, warnings, requirements = await MultiGet(
        Get(ImportErrors, UnownedImports(tuple(each for each in found if each not in tolerated))),
        Get(ImportErrors, UnownedImports(tolerated)),
        Get(RequirementErrors, Targets(transitive.closure)),
    )
    for message in warnings.messages:
        logger.warning(f"The job's own environment needs a package that no lock has.\n{message}")
    return ImportErrors((*errors.messages, *requirements.messages))


def rules():
    return collect_rules()
