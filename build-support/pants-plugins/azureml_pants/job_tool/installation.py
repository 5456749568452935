"""The installation of the job tool, and how a run starts it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from azureml_jobs.protocol import REQUEST_FILE, Message
from azureml_pants.job_tool.message import request_file
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexRequest
from pants.backend.python.util_rules.pex_environment import CompletePexEnvironment
from pants.backend.python.util_rules.pex_requirements import PexRequirements, Resolve
from pants.core.goals.run import RunRequest
from pants.engine.fs import CreateDigest, Digest, MergeDigests
from pants.engine.rules import Get, rule

# The sources of the job tool, and the resolve from which it is installed.
TOOL_PATH = "build-support/azureml-jobs"
TOOL_RESOLVE = "azureml"
# What checks jobs and runs them on this machine.
TOOL_PACKAGES = ("PyYAML", "certifi", "detect-secrets", "psutil", "python-dotenv", "urllib3")


@dataclass(frozen=True)
class JobToolRequest:
    """`environment` says where the tool runs: in a sandbox, or in the workspace."""

    environment: CompletePexEnvironment


@dataclass(frozen=True)
class JobTool:
    """`digest` holds the script `python`, which starts the Python of the tool."""

    digest: Digest
    python: str
    script: str


async def start_tool(
    tool: JobTool, command: str, request: Message, digests: Iterable[Digest], *arguments: str
) -> RunRequest:
    """Return the run of a command of the tool in the build root; `digests` are what it needs."""
    message = await Get(Digest, CreateDigest, request_file(request))
    return RunRequest(
        digest=await Get(Digest, MergeDigests((tool.digest, *digests, message))),
        args=(
            f"{{chroot}}/{tool.python}",
            tool.script,
            command,
            "--request",
            f"{{chroot}}/{REQUEST_FILE}",
            *arguments,
        ),
    )


def locked_pex_request(
    name: str, requirements: Iterable[str] | None, resolve: str, python_setup: PythonSetup
) -> PexRequest:
    """Return the request for a PEX of some packages of a resolve, or of all with None."""
    constraints = python_setup.resolves_to_interpreter_constraints.get(
        resolve, python_setup.interpreter_constraints
    )
    return PexRequest(
        output_filename=name,
        internal_only=True,
        requirements=PexRequirements(
            requirements or (), from_superset=Resolve(resolve, requirements is None)
        ),
        interpreter_constraints=InterpreterConstraints(constraints),
        # It is unpacked at once, and compressing took a sixth of the first job in a fresh clone.
        additional_args=("--no-compress",),
    )


@rule(desc="Install the job tool")
async def install_job_tool(request: JobToolRequest, python_setup: PythonSetup) -> JobTool:
    pex_request = locked_pex_request("azureml-jobs.pex", TOOL_PACKAGES, TOOL_RESOLVE, python_setup)
    venv = await Get(VenvPex, VenvPexRequest(pex_request, request.environment))
    return JobTool(venv.digest, venv.python.argv0, f"{TOOL_PATH}/run.py")
