"""`lint` of shell scripts by shellcheck, which a Python package brings."""

from __future__ import annotations

from typing import Any

from azureml_pants.options import Shellcheck
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexRequest
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.backend.python.util_rules.pex_requirements import PexRequirements, Resolve
from pants.core.goals.lint import LintFilesRequest, LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.fs import Digest, GlobMatchErrorBehavior, MergeDigests, PathGlobs
from pants.engine.internals.native_engine import FilespecMatcher
from pants.engine.process import FallibleProcessResult, Process
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.util.logging import LogLevel
from pants.util.strutil import pluralize

PROGRAM = "shellcheck"


class LintShellRequest(LintFilesRequest):
    tool_subsystem = Shellcheck


@rule
async def choose_shell_scripts(
    request: LintShellRequest.PartitionRequest, shellcheck: Shellcheck
) -> Partitions[str, Any]:
    found = FilespecMatcher(includes=shellcheck.include, excludes=()).matches(request.files)
    if shellcheck.skip or not found:
        return Partitions()
    return Partitions.single_partition(sorted(found))


@rule(desc="Lint shell scripts", level=LogLevel.DEBUG)
async def lint_shell_scripts(
    request: LintShellRequest.Batch[str, Any],
    shellcheck: Shellcheck,
    python_setup: PythonSetup,
    pex_env: PexEnvironment,
) -> LintResult:
    complete = pex_env.in_sandbox(working_directory=None)
    constraints = python_setup.resolves_to_interpreter_constraints.get(
        shellcheck.tool_resolve, python_setup.interpreter_constraints
    )
    pex_request = PexRequest(
        output_filename="shellcheck.pex",
        internal_only=True,
        requirements=PexRequirements(from_superset=Resolve(shellcheck.tool_resolve, True)),
        interpreter_constraints=InterpreterConstraints(constraints),
    )
    venv, scripts = await MultiGet(
        Get(VenvPex, VenvPexRequest(pex_request, complete, bin_names=(PROGRAM,))),
        # All of them, because a script may source others, which shellcheck reads as well.
        Get(
            Digest,
            PathGlobs((*shellcheck.include, "**/.shellcheckrc"), GlobMatchErrorBehavior.ignore),
        ),
    )
    digest = await Get(Digest, MergeDigests((venv.digest, scripts)))
    result = await Get(
        FallibleProcessResult,
        Process(
            argv=(venv.bin[PROGRAM].argv0, "--external-sources", *request.elements),
            description=f"Run shellcheck on {pluralize(len(request.elements), 'file')}",
            level=LogLevel.DEBUG,
            input_digest=digest,
            append_only_caches=complete.append_only_caches,
        ),
    )
    return LintResult.create(request, result)


def rules():
    return [*collect_rules(), *LintShellRequest.rules()]
