"""What scripts and tests of an experiment load on this machine."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from azureml_jobs.imports.overlay import pattern_of
from azureml_jobs.jobfile.command.code import Code, CommandCode, PythonStart
from azureml_jobs.jobfile.units import CodeUnit
from azureml_pants.code.build_folders import folders_above
from azureml_pants.code.job_fields import AzureMLJobSourceField
from azureml_pants.code.job_units import JobUnits, JobUnitsRequest
from azureml_pants.code.loaded_code import LoadedCodeRequest
from azureml_pants.code.source_roots import SourceRoots
from pants.base.specs import DirLiteralSpec, RawSpecs
from pants.engine.addresses import Address
from pants.engine.fs import GlobMatchErrorBehavior, PathGlobs, Paths
from pants.engine.rules import Get, MultiGet, rule
from pants.engine.target import UnexpandedTargets


@dataclass(frozen=True)
class ScriptCodeRequest:
    """Find what `script` or `tests`, files of the repository, and `module` load.

    Tests load the `conftest.py` of all folders above them, too.
    """

    address: Address
    resolve: str
    script: str | None = None
    module: PythonStart | None = None
    tests: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScriptCode:
    """`folders` are those of the repository from which scripts import what a job imports.

    `search_path` are the names that these have where scripts run. `has_job` says that there is a
    job in the same BUILD file.
    """

    request: LoadedCodeRequest
    folders: tuple[str, ...]
    search_path: tuple[str, ...]
    has_job: bool


@rule
async def find_script_code(request: ScriptCodeRequest, roots: SourceRoots) -> ScriptCode:
    folder = request.address.spec_path
    targets = await Get(
        UnexpandedTargets,
        RawSpecs(
            dir_literals=(DirLiteralSpec(folder),), description_of_origin=str(request.address)
        ),
    )
    jobs = [target for target in targets if target.has_field(AzureMLJobSourceField)]
    read = await MultiGet(
        Get(JobUnits, JobUnitsRequest(job[AzureMLJobSourceField].path)) for job in jobs
    )
    tests = request.tests
    if tests:
        above = {folder for test in tests for folder in folders_above(test)}
        globs = [pattern_of(posixpath.join(folder, "conftest.py")) for folder in above]
        found = await Get(Paths, PathGlobs(globs, GlobMatchErrorBehavior.ignore))
        tests = (*tests, *found.files)
    files = tests if request.script is None else (request.script,)
    own = [posixpath.dirname(path) for path in files] or [folder]
    of_jobs = [name for job in read for unit in job.units for name in search_folders(unit)]
    folders = tuple(dict.fromkeys((*own, *of_jobs)))
    names = tuple(dict.fromkeys((*(roots.name_of(each) for each in folders), "")))
    # A start that loads nothing, so that the tests are imported from these folders.
    starts = [request.module or PythonStart("source", "", names, "")]
    if request.script is not None:
        starts = [PythonStart("script", roots.name_of(request.script), names, "")]
    return ScriptCode(
        LoadedCodeRequest(
            request.address,
            request.resolve,
            Code(None, str(request.address)),
            CommandCode(tuple(starts), (), (), ()),
            str(request.address),
            entries=tests,
        ),
        folders,
        names,
        bool(jobs),
    )


def search_folders(unit: CodeUnit) -> list[str]:
    """Return the folders of the repository from which the commands of a unit import."""
    if unit.code.path is None:
        return []
    names = dict.fromkeys(name for start in unit.starts.python for name in start.search_path)
    joined = (posixpath.join(unit.code.path, name) for name in names)
    return [posixpath.normpath(path) if path else "" for path in joined]
