"""Find what Azure ML accepts in a pipeline, and its author hardly meant."""

from __future__ import annotations

from collections.abc import Iterator

from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.pipeline.declarations import literal_doubt, mapping_of
from azureml_jobs.jobfile.pipeline.model import Literal, Pipeline, Step


def pipeline_doubts(pipeline: Pipeline) -> list[tuple[str, Finding]]:
    """Return each input that has no effect, and each value out of limits, with its document."""
    return [(step.document, finding) for _, step in pipeline.walk() for finding in _of(step)]


def _of(step: Step) -> Iterator[Finding]:
    for name in mapping_of(step.node.get("inputs")):
        if name not in step.declared:
            yield Finding(
                ".".join((*step.keys, "inputs", name)),
                "the component declares no such input, and Azure ML ignores it",
                suggestion(name, list(step.declared)),
            )
    for name, binding in step.inputs.items():
        if isinstance(binding, Literal) and name in step.declared:
            doubt = literal_doubt(binding.text, step.declared[name])
            if doubt is not None:
                yield Finding(".".join((*step.keys, "inputs", name)), *doubt)
