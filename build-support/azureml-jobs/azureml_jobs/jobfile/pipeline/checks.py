"""Find what Azure ML refuses of a pipeline, or accepts and its author hardly meant."""

from __future__ import annotations

from collections.abc import Iterator

from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.documents import Documents, mapping_of
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.pipeline.declarations import literal_doubt
from azureml_jobs.jobfile.pipeline.model import Literal, Pipeline, Step
from azureml_jobs.jobfile.pipeline.read import read_pipeline
from azureml_jobs.jobfile.schema.kind import kind_of


def check_computes(documents: Documents, job_file: str) -> None:
    """Raise `JobError` for steps without a compute, which azure-ai-ml refuses to submit.

    A job that is one command is serverless then; a step of a pipeline is not
    (`PipelineComponent._validate_compute_is_set`).
    """
    job = documents[job_file]
    if kind_of(job) != "pipeline job" or job.get("compute"):
        return
    pipeline = read_pipeline(documents, job_file)
    steps = [
        f"`{'/'.join(names)}`"
        for names, step in pipeline.walk()
        if step.kind != "pipeline" and not step.node.get("compute")
        if step.kind != "spark" or not step.node.get("resources")
    ]
    if steps and not pipeline.settings.default_compute:
        what = f"no compute is named for {', '.join(steps)}"
        remedy = "Write for example:\n\nsettings:\n  default_compute: azureml:cpu-cluster"
        raise Finding("settings.default_compute", what, remedy).as_error(job_file)


def pipeline_doubts(pipeline: Pipeline) -> list[tuple[str, Finding]]:
    """Return each input that has no effect, and each value out of limits, with its document."""
    return [(step.document, finding) for _, step in pipeline.walk() for finding in _doubts(step)]


def _doubts(step: Step) -> Iterator[Finding]:
    for name in mapping_of(step.node.get("inputs")):
        if name not in step.declared:
            what = "the component declares no such input, and Azure ML ignores it"
            key_path = ".".join((*step.keys, "inputs", name))
            yield Finding(key_path, what, suggestion(name, list(step.declared)))
    for name, binding in step.inputs.items():
        if isinstance(binding, Literal) and name in step.declared:
            doubt = literal_doubt(binding.text, step.declared[name])
            if doubt is not None:
                yield Finding(".".join((*step.keys, "inputs", name)), *doubt)
