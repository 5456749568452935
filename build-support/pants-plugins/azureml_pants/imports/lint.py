"""`lint` of imports: whether a file or a package of the resolve satisfies each, and is locked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from azureml_jobs.imports.one_file import outside_modules
from azureml_jobs.imports.result import OutsideModule
from azureml_pants.code.build_folders import folders_above
from azureml_pants.code.closure import STANDARD_LIBRARY, answer_questions
from azureml_pants.code.import_errors import ImportErrors, MissingModules, RequirementErrors
from azureml_pants.code.listed_packages import ListedPackages
from azureml_pants.code.modules import ModuleOwners, ModuleOwnersRequest
from azureml_pants.code.script_code import ScriptCode, ScriptCodeRequest
from azureml_pants.code.source_roots import SourceRoots
from azureml_pants.code.sources import ImagePython
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import (
    PythonRequirementResolveField,
    PythonResolveField,
    PythonSourceField,
)
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_DIGEST
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import FieldSet, Targets
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel
from pants.util.strutil import help_text


class ImportsLinter(Subsystem):
    options_scope = "unowned-imports"
    name = "unowned-imports"
    help = help_text("""
        The linter of imports. It reports modules that are neither code of this repository nor part
        of a package in the resolve. A job or a script with such an import does not run.
        """)

    skip = SkipOption("lint")


@dataclass(frozen=True)
class LintImportsFieldSet(FieldSet):
    required_fields = (PythonSourceField, PythonResolveField)

    source: PythonSourceField
    resolve: PythonResolveField


class LintImportsRequest(LintTargetsRequest):
    field_set_type = LintImportsFieldSet
    tool_subsystem = ImportsLinter  # type: ignore[assignment]
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


@dataclass(frozen=True)
class FileImportsRequest:
    """`address` is that of the target that owns the file `path`."""

    address: Address
    path: str
    resolve: str


@dataclass(frozen=True)
class FileImports:
    """What one file imports that nothing satisfies, wherever it may run."""

    missing: tuple[OutsideModule, ...]


@rule
async def find_file_imports(
    request: FileImportsRequest, roots: SourceRoots, python: ImagePython
) -> FileImports:
    # A script or a test of an experiment imports what its jobs import.
    script = await Get(ScriptCode, ScriptCodeRequest(request.address, request.resolve))
    folders = dict.fromkeys((*run_folders(request.path, roots), *script.folders))
    found = await answer_questions(
        outside_modules(
            request.path,
            tuple(folders),
            python=python.version,
            standard_library=STANDARD_LIBRARY,
        ),
        EMPTY_DIGEST,
        python,
    )
    owners = await Get(ModuleOwners, ModuleOwnersRequest(found, request.resolve))
    return FileImports(tuple(each for each in found if each.is_certain and not owners.has(each)))


def run_folders(path: str, roots: SourceRoots) -> tuple[str, ...]:
    """Return the folders from which a file may be run, up to its source root, then the others."""
    above = list(folders_above(path))
    last = above.index(roots.root_of(path))
    return (*above[: last + 1], *roots.paths)


@rule(desc="Lint imports", level=LogLevel.DEBUG)
async def lint_imports(
    request: LintImportsRequest.Batch[LintImportsFieldSet, Any],
    python_setup: PythonSetup,
    packages: ListedPackages,
) -> LintResult:
    resolves = [each.resolve.normalized_value(python_setup) for each in request.elements]
    files = await MultiGet(
        Get(FileImports, FileImportsRequest(field_set.address, field_set.source.file_path, resolve))
        for field_set, resolve in zip(request.elements, resolves)
    )
    missing: dict[str, list[OutsideModule]] = defaultdict(list)
    for resolve, found in zip(resolves, files):
        missing[resolve] += found.missing
    listed = Targets(
        target
        for target in packages.targets
        if target[PythonRequirementResolveField].normalized_value(python_setup) in missing
    )
    errors = await MultiGet(
        Get(ImportErrors, MissingModules(tuple(modules), resolve))
        for resolve, modules in sorted(missing.items())
    )
    requirements = await Get(RequirementErrors, Targets, listed)
    messages = (*(text for each in errors for text in each.messages), *requirements.messages)
    return LintResult(
        exit_code=1 if messages else 0,
        stdout="\n\n".join(messages),
        stderr="",
        linter_name=request.tool_name,
    )


def rules():
    return [*collect_rules(), *LintImportsRequest.rules()]
