"""`lint` of jobs: their job files, and whether what they run exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azureml_jobs.imports.overlay import pattern_of
from azureml_jobs.imports.result import RUN
from azureml_jobs.protocol import REQUEST_FILE, JobToLint, LintRequest
from azureml_pants.code.job_code import CheckedUnits, JobFieldSet
from azureml_pants.job.target_types import SkipAzureMLJobsField
from azureml_pants.job_tool.installation import TOOL_PATH, JobTool, JobToolRequest
from azureml_pants.job_tool.message import request_file
from pants.backend.python.util_rules.pex_environment import PexEnvironment
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.engine.fs import (
    CreateDigest,
    Digest,
    GlobMatchErrorBehavior,
    MergeDigests,
    PathGlobs,
)
from pants.engine.process import FallibleProcessResult, Process
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import Target
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel
from pants.util.strutil import help_text, pluralize


class AzureMLJobsLinter(Subsystem):
    # Pants reserves `azureml-job` for the target type.
    options_scope = "azureml-jobs"
    name = "azureml-jobs"
    help = help_text("""
        The linter of job files. It reports unknown keys, wrong values, placeholders, references to
        missing things, commands whose code or imports do not exist, and inputs that the command
        never uses.
        """)

    skip = SkipOption("lint")


@dataclass(frozen=True)
class LintJobFieldSet(JobFieldSet):
    @classmethod
    def opt_out(cls, target: Target) -> bool:
        return target.get(SkipAzureMLJobsField).value


class LintJobsRequest(LintTargetsRequest):
    field_set_type = LintJobFieldSet
    tool_subsystem = AzureMLJobsLinter  # type: ignore[assignment]
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


@dataclass(frozen=True)
class JobsToLintRequest:
    field_sets: tuple[LintJobFieldSet, ...]


@dataclass(frozen=True)
class JobsToLint:
    """`digest` holds the job files and the scripts of `request`, at their paths."""

    request: LintRequest
    digest: Digest


@rule(desc="Gather job files")
async def gather_job_files(request: JobsToLintRequest) -> JobsToLint:
    checked = await MultiGet(
        Get(CheckedUnits, JobFieldSet, JobFieldSet.of(each)) for each in request.field_sets
    )
    jobs = tuple(
        JobToLint(
            field_set.source.path,
            units.errors,
            tuple(file.path for file in units.files if file.why.startswith(RUN)),
        )
        for field_set, units in zip(request.field_sets, checked)
    )
    documents = {path for units in checked for path in units.job.documents}
    scripts = {path for job in jobs for path in job.scripts}
    globs = (pattern_of(path) for path in documents | scripts)
    digest = await Get(Digest, PathGlobs(globs, GlobMatchErrorBehavior.ignore))
    return JobsToLint(LintRequest(jobs), digest)


@rule(desc="Lint job files", level=LogLevel.DEBUG)
async def lint_jobs(
    request: LintJobsRequest.Batch[LintJobFieldSet, Any],
    pex_env: PexEnvironment,
) -> LintResult:
    complete = pex_env.in_sandbox(working_directory=None)
    jobs, tool = await MultiGet(
        Get(JobsToLint, JobsToLintRequest(tuple(request.elements))),
        Get(JobTool, JobToolRequest(complete)),
    )
    sources, request_digest = await MultiGet(
        # An edit of a test or of a BUILD file is no reason to lint again.
        Get(Digest, PathGlobs([f"{TOOL_PATH}/**/*", "!**/*_test.py", "!**/BUILD"])),
        Get(Digest, CreateDigest, request_file(jobs.request)),
    )
    digest = await Get(Digest, MergeDigests((tool.digest, sources, jobs.digest, request_digest)))
    result = await Get(
        FallibleProcessResult,
        Process(
            argv=(tool.python, tool.script, "lint", "--request", REQUEST_FILE),
            description=f"Lint {pluralize(len(jobs.request.jobs), 'job file')}",
            level=LogLevel.DEBUG,
            input_digest=digest,
            append_only_caches=complete.append_only_caches,
        ),
    )
    return LintResult.create(request, result)


def rules():
    return [*collect_rules(), *LintJobsRequest.rules()]
