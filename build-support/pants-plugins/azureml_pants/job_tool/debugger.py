"""`run --debug-adapter`: the same run, with a debugger that waits for an editor."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.protocol import DEBUGGER_FILE, DebuggerOptions, PackagesVenv
from pants.backend.python.subsystems.debugpy import DebugPy
from pants.backend.python.util_rules.pex import VenvPex, VenvPexRequest
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import RunDebugAdapterRequest, RunRequest
from pants.core.subsystems.debug_adapter import DebugAdapterSubsystem
from pants.engine.fs import CreateDigest, Digest, FileContent, MergeDigests
from pants.engine.rules import Get, rule


@dataclass(frozen=True)
class DebugRequest:
    """Add a debugger to `run`, which starts the job tool."""

    run: RunRequest


@rule(desc="Install the debugger")
async def add_debugger(
    request: DebugRequest,
    debugpy: DebugPy,
    debug_adapter: DebugAdapterSubsystem,
    pex_env: PexEnvironment,
) -> RunDebugAdapterRequest:
    environment = pex_env.in_workspace()
    venv = await Get(VenvPex, VenvPexRequest(debugpy.to_pex_request(), environment))
    options = DebuggerOptions(
        debug_adapter.host,
        debug_adapter.port,
        PackagesVenv(str(environment.pex_root / venv.venv_rel_dir), venv.python.argv0),
    )
    file = await Get(Digest, CreateDigest([FileContent(DEBUGGER_FILE, options.to_json())]))
    digest = await Get(Digest, MergeDigests((request.run.digest, venv.digest, file)))
    return RunDebugAdapterRequest(
        digest=digest, args=request.run.args, extra_env=request.run.extra_env
    )
