"""What a command loads, with all that targets declare of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.imports.closure import Launch
from azureml_jobs.imports.overlay import pattern_of
from azureml_jobs.imports.result import DECLARED, Closure
from azureml_jobs.jobfile.command.code import Code, CommandCode
from azureml_jobs.protocol import NeededFile
from azureml_pants.code.closure import STANDARD_LIBRARY, ClosureRequest
from azureml_pants.code.declared import Declared, DeclaredRequest
from azureml_pants.code.import_errors import (
    ImportErrors,
    MissingModules,
    RequirementErrors,
    UsedPackages,
)
from azureml_pants.code.modules import ModuleOwners, ModuleOwnersRequest
from azureml_pants.code.owners import Candidates, CandidatesRequest, best_owners
from azureml_pants.code.source_roots import SourceRoots
from azureml_pants.code.sources import ImagePython
from pants.backend.python.subsystems.setup import PythonSetup
from pants.engine.addresses import Address, Addresses
from pants.engine.fs import Digest, MergeDigests, PathGlobs
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import Targets
from pants.util.frozendict import FrozenDict


@dataclass(frozen=True)
class LoadedCodeRequest:
    """Find what `starts` load in the snapshot of `code`.

    address: the target whose `dependencies` count, too.
    where: the key of the command, for messages.
    entries: files of the repository that the target starts.
    """

    address: Address
    resolve: str
    code: Code
    starts: CommandCode
    where: str
    entries: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadedCode:
    """`generated` holds the files that only targets have, `dependencies` own files and packages."""

    files: tuple[NeededFile, ...]
    generated: Digest
    requirements: tuple[str, ...]
    dependencies: tuple[Address, ...]
    missing: MissingModules
    packages: UsedPackages
    closure: Closure


@rule(desc="Find the code of a command")
async def load_code(
    request: LoadedCodeRequest, roots: SourceRoots, python: ImagePython, python_setup: PythonSetup
) -> LoadedCode:
    declaring, needed = {request.address}, set[Address]()
    while True:
        known = len(declaring) + len(needed)
        declared = await Get(
            Declared, DeclaredRequest(tuple(sorted(declaring)), tuple(sorted(needed)))
        )
        launch = Launch(
            request.code,
            roots.paths,
            request.starts,
            request.where,
            python.version,
            STANDARD_LIBRARY,
            extra=tuple(sorted(declared.owner_of)),
            entries=request.entries,
        )
        closure = await Get(Closure, ClosureRequest(launch, declared.generated))
        paths = tuple(file.path for file in closure.files)
        candidates, modules = await MultiGet(
            Get(Candidates, CandidatesRequest(paths)),
            Get(ModuleOwners, ModuleOwnersRequest(closure.modules, request.resolve)),
        )
        owners = best_owners(candidates, request.resolve, python_setup)
        declaring.update(owners.values())
        needed.update(modules.addresses)
        if known == len(declaring) + len(needed):
            break
    missing = tuple(each for each in closure.modules if not modules.has(each))
    if missing:
        statements = {each.statement for each in missing}
        launch = replace(launch, missing=frozenset(each.module for each in missing))
        advised = await Get(Closure, ClosureRequest(launch, declared.generated))
        missing = tuple(each for each in advised.modules if each.statement in statements)
    owner_of = {**declared.owner_of, **owners}
    return LoadedCode(
        files=tuple(
            needed_file(file, owner_of.get(file.path), declared.namer_of.get(file.path))
            for file in closure.files
        ),
        generated=declared.generated,
        requirements=declared.requirements,
        dependencies=tuple(sorted({*owners.values(), *declared.addresses})),
        missing=MissingModules(missing, request.resolve),
        packages=UsedPackages(modules.requirements, request.resolve),
        closure=closure,
    )


def needed_file(file: NeededFile, owner: Address | None, namer: Address | None) -> NeededFile:
    """Return the file with its owner, and with the target that declares it if that is why."""
    if file.why == DECLARED and namer is not None:
        file = replace(file, why=f"declared by {namer}", by=str(namer))
    return replace(file, owner=str(owner or ""))


@dataclass(frozen=True)
class CheckedCodeRequest:
    """`is_locked` says that only the locked packages exist. Otherwise there may be more.

    `has_image_python` says that it runs on the Python of our images, and on no other version.
    """

    code: LoadedCodeRequest
    is_locked: bool
    has_image_python: bool = True


@dataclass(frozen=True)
class CheckedCode:
    """`digest` holds the files, at their paths in the repository.

    `package_errors` are those of `errors` for which the packages are not known, either.
    """

    files: tuple[NeededFile, ...]
    digest: Digest
    requirements: tuple[str, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    package_errors: tuple[str, ...] = ()


@rule(desc="Check imports")
async def check_code(request: CheckedCodeRequest) -> CheckedCode:
    code = await Get(LoadedCode, LoadedCodeRequest, request.code)
    closure = code.closure
    certain = code.missing.certain(request.is_locked)
    errors, doubts, targets, on_disk = await MultiGet(
        Get(ImportErrors, MissingModules, certain),
        Get(ImportErrors, MissingModules, code.missing.without(certain)),
        Get(Targets, Addresses(code.dependencies)),
        Get(Digest, PathGlobs(pattern_of(file.path) for file in code.files)),
    )
    used = code.packages if request.is_locked else UsedPackages(FrozenDict(), code.packages.resolve)
    requirements, excluded = await MultiGet(
        Get(RequirementErrors, Targets, targets), Get(ImportErrors, UsedPackages, used)
    )
    package_errors = (*closure.errors, *errors.messages, *excluded.messages, *requirements.messages)
    return CheckedCode(
        code.files,
        await Get(Digest, MergeDigests((on_disk, code.generated))),
        code.requirements,
        (
            *closure.syntax_errors,
            *(closure.version_errors if request.has_image_python else ()),
            *package_errors,
        ),
        (
            *closure.warnings,
            *(() if request.has_image_python else closure.version_errors),
            *doubts.messages,
        ),
        package_errors,
    )
