"""`run` of JupyterLab in the image of an experiment."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.local.runtimes import DOCKER
from azureml_jobs.protocol import REQUEST_FILE, NotebookRequest, RuntimeOptions
from azureml_pants.base.options import AzureMLSubsystem
from azureml_pants.code.source_roots import SourceRoots
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.environment.packages import LockedRequirements, LockedRequirementsRequest
from azureml_pants.environment.runtime import NamedImage, NamedImageRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest
from azureml_pants.job_tool.message import request_file
from azureml_pants.notebook.target_types import AzureMLJupyterDependenciesField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest
from pants.engine.fs import CreateDigest, Digest, MergeDigests
from pants.engine.rules import Get, MultiGet, collect_rules, rule


@dataclass(frozen=True)
class RunJupyterFieldSet(RunFieldSet):
    required_fields = (AzureMLJupyterDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    image: AzureMLImageField


@rule(desc="Set up JupyterLab")
async def run_jupyter(
    field_set: RunJupyterFieldSet,
    pex_env: PexEnvironment,
    azureml: AzureMLSubsystem,
    options: RuntimeOptions,
    roots: SourceRoots,
) -> RunRequest:
    tool, named, locked = await MultiGet(
        Get(JobTool, JobToolRequest(pex_env.in_workspace())),
        Get(NamedImage, NamedImageRequest(field_set.address, field_set.image)),
        Get(
            LockedRequirements,
            LockedRequirementsRequest(azureml.jupyter_resolve, azureml.jupyter_requirements),
        ),
    )
    request = NotebookRequest(
        str(field_set.address),
        named.image,
        roots.root_of(field_set.address.spec_path),
        replace(options, runtime=DOCKER),
    )
    written = await Get(Digest, CreateDigest, request_file(request))
    return RunRequest(
        digest=await Get(Digest, MergeDigests((tool.digest, locked.digest, written))),
        args=tool.workspace_args("jupyter", "--request", f"{{chroot}}/{REQUEST_FILE}"),
    )


def rules():
    return [*collect_rules(), *RunJupyterFieldSet.rules()]
