"""The commands of a job, as its job file and the files that this refers to have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.overlay import pattern_of
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.documents import referred_documents
from azureml_jobs.jobfile.schema.kind import azure_only_parts, has_sweep, kind_of
from azureml_jobs.jobfile.units import CodeUnit, code_units
from pants.engine.fs import DigestContents, GlobMatchErrorBehavior, PathGlobs
from pants.engine.rules import Get, rule


@dataclass(frozen=True)
class JobUnitsRequest:
    """`path` is that of the job file, relative to the build root."""

    path: str


@dataclass(frozen=True)
class JobUnits:
    """`documents` begin with the job file; there are no units when there are errors.

    `kind` is that of the job file; `runs_here` says that this machine can run all of the units.
    """

    documents: tuple[str, ...]
    units: tuple[CodeUnit, ...]
    errors: tuple[str, ...]
    kind: str = ""
    runs_here: bool = False
    has_sweep: bool = False


@rule(desc="Read a job file")
async def read_job_units(request: JobUnitsRequest) -> JobUnits:
    documents: dict[str, Mapping[str, Any]] = {}
    wanted = {request.path}
    try:
        while wanted:
            contents = await Get(
                DigestContents,
                PathGlobs((pattern_of(path) for path in wanted), GlobMatchErrorBehavior.ignore),
            )
            read = {file.path: read_document(file.path, file.content) for file in contents}
            documents.update(read)
            wanted = {
                referred
                for path, document in read.items()
                for referred in referred_documents(document, path)
            }.difference(documents)
        if request.path not in documents:
            raise JobError(
                request.path,
                "there is no such file",
                "Write the job file, or name another one in the target's `source` field.",
            )
        return JobUnits(
            tuple(documents),
            code_units(documents, request.path),
            (),
            kind_of(documents[request.path]) or "",
            not azure_only_parts(documents, request.path),
            has_sweep(documents),
        )
    except JobError as error:
        return JobUnits((request.path,), (), (str(error),))


def read_document(path: str, content: bytes) -> Mapping[str, Any]:
    """Return the file as plain data; raise `JobError` when it is none."""
    try:
        return read_job_file(content.decode(), path)
    except UnicodeDecodeError as error:
        raise JobError(
            path, f"not text in UTF-8 (byte {error.start})", "Save it as UTF-8."
        ) from error
