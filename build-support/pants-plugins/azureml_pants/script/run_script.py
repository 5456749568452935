"""What `run` of a local script, of a shell and of tests have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.protocol import REQUEST_FILE, SOURCES_FOLDER, NeededFile, ScriptRequest
from azureml_pants.code.loaded_code import CheckedCode, CheckedCodeRequest
from azureml_pants.code.script_code import ScriptCode
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.environment.runtime import ScriptRuntime, ScriptRuntimeRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from azureml_pants.job_tool.message import request_file
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import RunRequest
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_SNAPSHOT, AddPrefix, CreateDigest, Digest, MergeDigests, Snapshot
from pants.engine.rules import Get, MultiGet, rule


@dataclass(frozen=True)
class RunScriptRequest:
    """Start the job tool's `command` on `code`.

    `settings` are more files, such as pytest's settings, by their paths in the repository.
    """

    command: str
    address: Address
    image: AzureMLImageField
    resolve: str
    code: ScriptCode
    script: str | None = None
    errors: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    settings: Snapshot = EMPTY_SNAPSHOT
    in_image: bool = False


@rule(desc="Set up a script")
async def run_script(request: RunScriptRequest, pex_env: PexEnvironment) -> RunRequest:
    environment = pex_env.in_workspace()
    tool, files = await MultiGet(
        Get(JobTool, JobToolRequest(environment)),
        # Without an image, what only the job needs may come with the job's own environment.
        Get(CheckedCode, CheckedCodeRequest(request.code.request, bool(request.image.value))),
    )
    script = ScriptRequest(
        str(request.address),
        request.script,
        (
            *files.files,
            *(NeededFile(path, path, "", "settings") for path in request.settings.files),
        ),
        search_path=request.code.search_path,
        errors=(*request.errors, *files.errors),
        tests=request.tests,
    )
    sources = await Get(Digest, MergeDigests((files.digest, request.settings.digest)))
    digests = [tool.digest, await Get(Digest, AddPrefix(sources, SOURCES_FOLDER))]
    # Nothing is installed for a script that does not run.
    if not script.errors:
        runtime = await Get(
            ScriptRuntime,
            ScriptRuntimeRequest(
                request.address,
                request.image,
                request.resolve,
                files.requirements,
                environment,
                request.in_image,
            ),
        )
        digests.append(runtime.digest)
        script = replace(
            script,
            venv=runtime.venv,
            image=runtime.image,
            adds_packages=runtime.adds_packages,
            options=runtime.options,
        )
    digests.append(await Get(Digest, CreateDigest, request_file(script)))
    return RunRequest(
        digest=await Get(Digest, MergeDigests(digests)),
        args=tool.workspace_args(request.command, "--request", f"{{chroot}}/{REQUEST_FILE}", "--"),
    )
