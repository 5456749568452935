"""What the `entry_point` field of a target names: a file of Python, or a module."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.overlay import pattern_of
from azureml_jobs.jobfile.command.code import PythonStart
from azureml_jobs.jobfile.paths import leads_out
from azureml_pants.code.source_roots import SourceRoots
from pants.engine.addresses import Address
from pants.engine.fs import GlobMatchErrorBehavior, PathGlobs, Paths
from pants.engine.rules import Get, rule


@dataclass(frozen=True)
class EntryPointRequest:
    """Look for `value` in the folder of `address`, then in `code`, then in the source roots."""

    address: Address
    value: str
    code: str | None = None


@dataclass(frozen=True)
class EntryPoint:
    """A file of the repository, or a module of a package, or an error."""

    file: str | None = None
    module: PythonStart | None = None
    error: str | None = None


@rule
async def find_entry_point(request: EntryPointRequest, roots: SourceRoots) -> EntryPoint:
    is_file = request.value.endswith(".py") or "/" in request.value
    stem = request.value if is_file else request.value.replace(".", "/") + ".py"
    code = () if request.code is None else (request.code,)
    folders = (request.address.spec_path, *code, *roots.paths)
    joined = (posixpath.normpath(posixpath.join(each, stem)) for each in folders)
    candidates = [path for path in joined if not leads_out(path)]
    existing = await Get(
        Paths, PathGlobs((pattern_of(path) for path in candidates), GlobMatchErrorBehavior.ignore)
    )
    file = next((path for path in candidates if path in existing.files), None)
    if file is not None:
        return EntryPoint(file=file)
    if not is_file:
        return EntryPoint(module=PythonStart("module", request.value, ("",), ""))
    error = JobError(
        f"{request.address}: entry_point",
        f"there is no file {request.value}",
        f"Write it, or correct the name in {request.address.spec_path}/BUILD, which is relative to "
        "that folder: `entry_point` in `experiment()`, and `local` there for `:local`.",
    )
    return EntryPoint(error=str(error))
