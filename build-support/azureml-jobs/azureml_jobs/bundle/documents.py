"""Read and check the documents of a job: the job file and all that it refers to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azureml_jobs.jobfile.document import read_job_file, repeated_keys
from azureml_jobs.jobfile.documents import is_flow, referred_documents
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.units import ordered_documents
from azureml_jobs.protocol import SOURCES_FOLDER, JobRequest


def read_document(path: str, folder: Path) -> dict[str, Any]:
    """Return the document that was gathered in the folder of a request."""
    return read_job_file(_text(path, folder), path)


def read_documents(
    request: JobRequest, job: Mapping[str, Any], folder: Path
) -> dict[str, Mapping[str, Any]]:
    """Return the job and all documents that it still refers to, as far as they were gathered."""
    documents: dict[str, Mapping[str, Any]] = {request.job_file: job}
    waiting = [request.job_file]
    while waiting:
        path = waiting.pop()
        for name in referred_documents(documents[path], path):
            if name not in documents and name in request.documents:
                documents[name] = read_document(name, folder)
                waiting.append(name)
    return documents


def check_documents(
    documents: Mapping[str, Mapping[str, Any]], job_file: str, folder: Path, is_sent: bool
) -> list[str]:
    """Raise `JobError` for errors in the documents, and return warnings.

    Placeholders are errors in what `is_sent`.
    """
    from azureml_jobs.jobfile.expressions import check_references, step_reference_findings
    from azureml_jobs.jobfile.pipeline.doubts import pipeline_doubts
    from azureml_jobs.jobfile.pipeline.read import read_pipeline
    from azureml_jobs.jobfile.placeholders import check_placeholders, placeholder_findings
    from azureml_jobs.jobfile.schema.check import check_schema
    from azureml_jobs.jobfile.schema.kind import kind_of
    from azureml_jobs.jobfile.schema.referred import kinds_of_documents
    from azureml_jobs.jobfile.sweep.check import sweep_doubts

    check_schema(documents[job_file], job_file)
    for path, kind in kinds_of_documents(documents, job_file):
        check_schema(documents[path], path, kind)
    warnings = []
    for path in ordered_documents(documents, job_file):
        document, doubts = documents[path], list[Finding]()
        repeated = repeated_keys(_text(path, folder))
        if not is_flow(document):
            if is_sent:
                check_placeholders(document, path)
            else:
                doubts += placeholder_findings(document)
            check_references(document, path)
            doubts += [*step_reference_findings(document), *sweep_doubts(document)]
        doubts += [repeated] if repeated else []
        warnings += [doubt.as_warning(path) for doubt in doubts]
    if kind_of(documents[job_file]) == "pipeline job":
        found = pipeline_doubts(read_pipeline(documents, job_file))
        warnings += [doubt.as_warning(path) for path, doubt in found]
    return warnings


def _text(path: str, folder: Path) -> str:
    return (folder / SOURCES_FOLDER / path).read_text(encoding="utf-8")
