"""Programs that are no Python but come inside of a Python package, as some linters do."""

from __future__ import annotations

from dataclasses import dataclass

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexRequest
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.backend.python.util_rules.pex_requirements import PexRequirements, Resolve
from pants.engine.fs import Digest, GlobMatchErrorBehavior, MergeDigests, PathGlobs
from pants.engine.process import Process
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.util.logging import LogLevel


@dataclass(frozen=True)
class ProgramRun:
    """Run `program`, which the packages of the lock of `resolve` bring, on files.

    `globs` are all files that it may read, relative to the build root.
    """

    resolve: str
    program: str
    arguments: tuple[str, ...]
    globs: tuple[str, ...]
    description: str


@rule
async def prepare_program(
    request: ProgramRun, python_setup: PythonSetup, pex_env: PexEnvironment
) -> Process:
    complete = pex_env.in_sandbox(working_directory=None)
    constraints = python_setup.resolves_to_interpreter_constraints.get(
        request.resolve, python_setup.interpreter_constraints
    )
    pex_request = PexRequest(
        output_filename=f"{request.program}.pex",
        internal_only=True,
        requirements=PexRequirements(from_superset=Resolve(request.resolve, True)),
        interpreter_constraints=InterpreterConstraints(constraints),
    )
    venv, files = await MultiGet(
        Get(VenvPex, VenvPexRequest(pex_request, complete, bin_names=(request.program,))),
        Get(Digest, PathGlobs(request.globs, GlobMatchErrorBehavior.ignore)),
    )
    return Process(
        argv=(venv.bin[request.program].argv0, *request.arguments),
        description=request.description,
        level=LogLevel.DEBUG,
        input_digest=await Get(Digest, MergeDigests((venv.digest, files))),
        append_only_caches=complete.append_only_caches,
    )


def rules():
    return collect_rules()
