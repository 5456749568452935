"""Read a pipeline: its steps with all that holds for each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from azureml_jobs.jobfile.pipeline.model import Pipeline

FindComponent = Callable[[str], Mapping[str, Any] | None]


def read_pipeline(
    documents: Mapping[str, Mapping[str, Any]],
    job_file: str,
    find_component: FindComponent | None = None,
) -> Pipeline:
    """Return the pipeline that the job file is, with the pipelines inside of it.

    documents: the job file and those that it refers to, by their paths.
    find_component: returns the document of a registered component by `azureml:NAME:VERSION`, None
        where it knows none.

    Raises `JobError` for values that the declarations do not allow, for bindings that name nothing
    and for steps that wait for each other.
    """
    raise NotImplementedError
