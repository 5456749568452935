"""`package` of a job: its bundle, a folder below `dist/`."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from azureml_jobs.protocol import REQUEST_FILE
from azureml_pants.base.errors import PluginError, raise_errors
from azureml_pants.code.job_code import JobFieldSet
from azureml_pants.job.inputs import JobInputs
from azureml_pants.job_tool.installation import TOOL_PATH, JobTool, JobToolRequest
from azureml_pants.job_tool.message import request_file
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.base.build_environment import get_buildroot
from pants.core.goals.package import (
    BuiltPackage,
    BuiltPackageArtifact,
    OutputPathField,
    PackageFieldSet,
)
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.fs import AddPrefix, CreateDigest, Digest, MergeDigests, PathGlobs, RemovePrefix
from pants.engine.process import FallibleProcessResult, Process, ProcessCacheScope
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.unions import UnionRule

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackageJobFieldSet(PackageFieldSet, JobFieldSet):
    output_path: OutputPathField


@rule(desc="Bundle a job")
async def package_job(field_set: PackageJobFieldSet, pex_env: PexEnvironment) -> BuiltPackage:
    inputs = await Get(JobInputs, JobFieldSet, JobFieldSet.of(field_set))
    raise_errors(inputs.request.errors)
    complete = pex_env.in_sandbox(working_directory=None)
    tool, sources, request, environment = await MultiGet(
        Get(JobTool, JobToolRequest(complete)),
        Get(Digest, PathGlobs([f"{TOOL_PATH}/**/*"])),
        Get(Digest, CreateDigest, request_file(inputs.request)),
        Get(EnvironmentVars, EnvironmentVarsRequest(["PATH", "HOME"])),
    )
    digest = await Get(Digest, MergeDigests((tool.digest, sources, inputs.digest, request)))
    result = await Get(
        FallibleProcessResult,
        Process(
            argv=(
                tool.python,
                tool.script,
                "bundle",
                "--request",
                REQUEST_FILE,
                "--output",
                "bundle",
                "--repository",
                get_buildroot(),
            ),
            description=f"Bundle {field_set.address}",
            input_digest=digest,
            env=environment,
            append_only_caches=complete.append_only_caches,
            output_directories=("bundle",),
            # The manifest records git's state, which Pants does not see.
            cache_scope=ProcessCacheScope.PER_SESSION,
        ),
    )
    check_bundle(result.exit_code, result.stderr)
    path = field_set.output_path.value_or_default(file_ending=None)
    bundle = await Get(Digest, RemovePrefix(result.output_digest, "bundle"))
    return BuiltPackage(await Get(Digest, AddPrefix(bundle, path)), (BuiltPackageArtifact(path),))


def check_bundle(exit_code: int, stderr: bytes) -> None:
    """Raise `PluginError` with the message of the job tool if it failed, else log its warnings."""
    text = stderr.decode(errors="replace").strip()
    if exit_code != 0:
        raise PluginError(text or f"exit status {exit_code}")
    if text:
        logger.warning(text)


def rules():
    return [*collect_rules(), UnionRule(PackageFieldSet, PackageJobFieldSet)]
