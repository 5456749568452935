"""The target `azureml_jupyter`, and `run` of it: in the image or with the packages of the lock."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azureml_jobs.local.runtimes import DOCKER, VENV
from azureml_jobs.protocol import NotebookRequest, RuntimeOptions
from azureml_pants.code.source_roots import SourceRoots
from azureml_pants.environment.fields import AzureMLImageField
from azureml_pants.environment.packages import (
    InstalledPackages,
    InstallPackagesRequest,
    LockedRequirements,
    LockedRequirementsRequest,
)
from azureml_pants.environment.runtime import NamedImage, NamedImageRequest
from azureml_pants.job_tool.installation import JobTool, JobToolRequest, start_tool
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunRequest
from pants.engine.fs import Digest
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import COMMON_TARGET_FIELDS, Dependencies, Target
from pants.util.strutil import help_text


class AzureMLJupyterDependenciesField(Dependencies):
    pass


class AzureMLJupyterTarget(Target):
    alias = "azureml_jupyter"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        AzureMLJupyterDependenciesField,
        AzureMLImageField,
        PythonResolveField,
    )
    help = help_text("""
        JupyterLab on the repository's own `src`, `notebooks` and `data` folders: in the image of an
        experiment or, if that is not available, with all packages of its lock.

        `run src/X:jupyter -- --port 8888` prints its address. Only this machine can reach it.

        Example: `azureml_jupyter(name="jupyter", image=":env")`.
        """)


# What is installed on top of an experiment's image.
_JUPYTER_RESOLVE = "jupyter"
_JUPYTER_PACKAGES = ("ipykernel", "jupyterlab")


@dataclass(frozen=True)
class RunJupyterFieldSet(RunFieldSet):
    required_fields = (AzureMLJupyterDependenciesField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.NOT_SUPPORTED

    image: AzureMLImageField
    resolve: PythonResolveField


@rule(desc="Set up JupyterLab")
async def run_jupyter(
    field_set: RunJupyterFieldSet,
    pex_env: PexEnvironment,
    options: RuntimeOptions,
    roots: SourceRoots,
    python_setup: PythonSetup,
) -> RunRequest:
    environment = pex_env.in_workspace()
    request = NotebookRequest(
        str(field_set.address), roots.root_of(field_set.address.spec_path), options
    )
    tool = await Get(JobTool, JobToolRequest(environment))
    digests: list[Digest] = []
    if options.runtime != VENV and field_set.image.value:
        named, locked = await MultiGet(
            Get(NamedImage, NamedImageRequest(field_set.address, field_set.image)),
            Get(
                LockedRequirements,
                LockedRequirementsRequest(_JUPYTER_RESOLVE, _JUPYTER_PACKAGES),
            ),
        )
        digests.append(locked.digest)
        request = replace(request, image=named.image)
    if options.runtime != DOCKER:
        resolve = field_set.resolve.normalized_value(python_setup)
        packages, jupyter = await MultiGet(
            # Whatever a notebook may import: nobody knows before it is written.
            Get(InstalledPackages, InstallPackagesRequest(resolve, None, environment)),
            Get(
                InstalledPackages,
                InstallPackagesRequest(_JUPYTER_RESOLVE, _JUPYTER_PACKAGES, environment),
            ),
        )
        digests += [packages.digest, jupyter.digest]
        request = replace(request, packages=packages.venv, jupyter=jupyter.venv)
    return await start_tool(tool, "jupyter", request, digests)


def rules():
    return [*collect_rules(), *RunJupyterFieldSet.rules()]
