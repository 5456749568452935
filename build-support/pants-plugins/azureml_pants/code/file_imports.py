"""What one file imports that nothing satisfies, wherever it may run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from azureml_jobs.imports.one_file import outside_modules
from azureml_jobs.imports.result import OutsideModule
from azureml_pants.code.closure import STANDARD_LIBRARY, answer_questions
from azureml_pants.code.modules import ModuleOwners, ModuleOwnersRequest
from azureml_pants.code.script_code import ScriptCode, ScriptCodeRequest
from azureml_pants.code.source_roots import SourceRoots
from azureml_pants.code.sources import ImagePython
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_DIGEST
from pants.engine.rules import Get, rule


@dataclass(frozen=True)
class FileImportsRequest:
    """`address` is that of the target that owns the file `path`."""

    address: Address
    path: str
    resolve: str


@dataclass(frozen=True)
class FileImports:
    missing: tuple[OutsideModule, ...]


@rule
async def find_file_imports(
    request: FileImportsRequest, roots: SourceRoots, python: ImagePython
) -> FileImports:
    # A script or a test of an experiment imports what its jobs import.
    script = await Get(ScriptCode, ScriptCodeRequest(request.address, request.resolve))
    folders = dict.fromkeys((*folders_above(request.path, roots), *script.folders))
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


def folders_above(path: str, roots: SourceRoots) -> tuple[str, ...]:
    """Return the folders from which a file may be run, up to its source root, then the others."""
    above = ["" if folder == PurePath() else str(folder) for folder in PurePath(path).parents]
    last = above.index(roots.root_of(path))
    return tuple(dict.fromkeys((*above[: last + 1], *roots.paths)))
