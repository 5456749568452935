"""Imports that no target and no lock has, as Pants' own inference finds them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import PurePath

from azureml_jobs.bundle.optional_imports import is_optional_import
from azureml_jobs.bundle.unowned_imports import UnownedImport, import_errors
from azureml_pants.rules.requirement_files import RequirementFiles
from azureml_pants.rules.stale_locks import StaleLocks, StaleLocksRequest
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
from pants.engine.fs import DigestContents, PathGlobs, Paths
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    Targets,
    TransitiveTargets,
    TransitiveTargetsRequest,
)
from pants.source.source_root import OptionalSourceRoot, SourceRootRequest

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileImportsRequest:
    """Look at the imports of one Python file."""

    field_set: PythonImportDependenciesInferenceFieldSet


@dataclass(frozen=True)
class FileImports:
    unowned: tuple[UnownedImport, ...]


@rule
async def find_unowned_imports_of_file(
    request: FileImportsRequest, python_setup: PythonSetup, python_infer: PythonInferSubsystem
) -> FileImports:
    field_set = request.field_set
    resolve = field_set.resolve.normalized_value(python_setup)
    # What Pants' inference asks, word for word, so that nothing is parsed or looked up twice.
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
        ResolvedParsedPythonDependenciesRequest(field_set, parsed, resolve),
    )
    ignored = tuple(f"{name}." for name in python_infer.ignored_unowned_imports)
    modules = [
        module
        for module, found in resolved.resolve_results.items()
        if found.status == ImportOwnerStatus.unowned and not f"{module}.".startswith(ignored)
    ]
    if not modules:
        return FileImports(())
    path = field_set.source.file_path
    contents, root = await MultiGet(
        Get(DigestContents, PathGlobs([path])),
        Get(OptionalSourceRoot, SourceRootRequest, SourceRootRequest.for_file(path)),
    )
    text = contents[0].content.decode(errors="replace")
    modules = [
        name for name in modules if not is_optional_import(text, parsed.imports[name].lineno, name)
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
    own = await MultiGet(
        Get(Paths, PathGlobs([f"{stem}.py", f"{stem}/**/*.py"]))
        for stem in (folder / module.partition(".")[0] for module in modules)
    )
    return FileImports(
        tuple(
            UnownedImport(
                path=path,
                line=parsed.imports[module].lineno,
                module=module,
                resolve=resolve,
                owners=tuple(str(address) for address in owned.ambiguous),
                elsewhere=tuple(
                    str(target.address) for target in targets if target.has_field(PythonSourceField)
                ),
                projects=_projects(module),
                is_own_code=bool(files.files),
            )
            for module, owned, targets, files in zip(modules, owners, elsewhere_targets, own)
            # One that is named as a dependency is there, which Pants does not count as owned.
            if not resolved.explicit.any_are_covered_by_includes(owned.ambiguous)
        )
    )


def _projects(module: str) -> tuple[str, ...]:
    """Packages that have the module and another name, as far as Pants knows."""
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
    """What to tell the user; nothing when all is well."""

    messages: tuple[str, ...]


@rule
async def tell_unowned_imports(unowned: UnownedImports) -> ImportErrors:
    if not unowned.imports:
        return ImportErrors(())
    files = await Get(RequirementFiles)
    messages: list[str] = []
    for resolve in sorted({each.resolve for each in unowned.imports}):
        imports = [each for each in unowned.imports if each.resolve == resolve]
        messages.extend(import_errors(imports, files.of(resolve)))
    return ImportErrors(tuple(messages))


@dataclass(frozen=True)
class ImportErrorsRequest:
    """Look at the imports of every file that `addresses` are or reach.

    `is_locked` says that the lock is all there is. Else an environment may bring other packages.
    """

    addresses: tuple[Address, ...]
    is_locked: bool


@rule(desc="Look for imports that nobody owns or no lock has")
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
    brought = tuple(each for each in found if each.is_package and not request.is_locked)
    errors, warnings, stale = await MultiGet(
        Get(ImportErrors, UnownedImports(tuple(each for each in found if each not in brought))),
        Get(ImportErrors, UnownedImports(brought)),
        Get(StaleLocks, StaleLocksRequest(tuple(transitive.closure))),
    )
    for message in warnings.messages:
        logger.warning(f"The job's own environment has to bring what the lock does not.\n{message}")
    return ImportErrors((*errors.messages, *stale.messages))


def rules():
    return collect_rules()
