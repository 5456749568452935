"""A job file, as far as the plugin needs to know it."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.needs import JobNeeds, read_job_needs
from pants.engine.fs import DigestContents, GlobMatchErrorBehavior, PathGlobs
from pants.engine.rules import Get, collect_rules, rule


@dataclass(frozen=True)
class JobFileRequest:
    """`path` is relative to the build root."""

    path: str


@dataclass(frozen=True)
class JobFile:
    """`needs` is None when there are errors."""

    path: str
    needs: JobNeeds | None
    errors: tuple[str, ...]


@rule
async def read_job_file(request: JobFileRequest) -> JobFile:
    contents = await Get(
        DigestContents,
        PathGlobs([request.path], glob_match_error_behavior=GlobMatchErrorBehavior.ignore),
    )
    try:
        text = decoded(request.path, contents[0].content if contents else None)
        return JobFile(request.path, read_job_needs(text, request.path), ())
    except JobError as error:
        return JobFile(request.path, None, (str(error),))


def decoded(path: str, content: bytes | None) -> str:
    """Return the text of a job file; raise `JobError` when it is missing or is not text."""
    if content is None:
        raise JobError(
            path,
            "there is no such file",
            "Write the job file, or name another one in the target's `source` field.",
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise JobError(
            path, f"not text in UTF-8 (byte {error.start})", "Save it as UTF-8."
        ) from error


def rules():
    return collect_rules()
