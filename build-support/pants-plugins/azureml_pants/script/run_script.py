"""What `run` of a local script, of a shell and of tests have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.protocol import REQUEST_FILE, SOURCES_FOLDER, NeededFile, ScriptRequest
from azureml_pants.code.imports import ImportErrors, ImportErrorsRequest
from azureml_pants.code.target_files import TargetFiles, TargetFilesRequest
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.environment.runtime import ScriptRuntime, ScriptRuntimeRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from azureml_pants.job_tool.message import request_file
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import RunRequest
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_SNAPSHOT, AddPrefix, CreateDigest, Digest, MergeDigests, Snapshot
from pants.engine.rules import Get, MultiGet, collect_rules, rule


@dataclass(frozen=True)
class RunScriptRequest:
    """Start the job tool's `command` on the files that `address` needs.

    `settings` are more files, such as pytest's settings, by their paths in the repository.
    """

    command: str
    address: Address
    image: AzureMLImageField
    resolve: PythonResolveField
    script: str | None = None
    entry_points: tuple[Address, ...] = ()
    errors: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    settings: Snapshot = EMPTY_SNAPSHOT
    in_image: bool = False

    @property
    def checked(self) -> tuple[Address, ...]:
        """Return whose imports must be locked.

        With an image everything. Without one, what only the job needs may come with the job's own
        environment.
        """
        return (self.address,) if self.image.value else self.entry_points


@rule(desc="Set up a script")
async def run_script(
    request: RunScriptRequest, pex_env: PexEnvironment, python_setup: PythonSetup
) -> RunRequest:
    environment = pex_env.in_workspace()
    tool, files, imports = await MultiGet(
        Get(JobTool, JobToolRequest(environment)),
        Get(TargetFiles, TargetFilesRequest(request.address)),
        Get(ImportErrors, ImportErrorsRequest(request.checked, is_locked=True)),
    )
    script = ScriptRequest(
        str(request.address),
        request.script,
        (
            *files.files,
            *(NeededFile(path, path, "", "settings") for path in request.settings.files),
        ),
        errors=(*request.errors, *imports.messages),
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
                request.resolve.normalized_value(python_setup),
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


def rules():
    return collect_rules()
