"""The marshmallow schemas by which azure-ai-ml reads each kind of file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azure.ai.ml import _schema
from azure.ai.ml.constants._component import NodeType
from azure.ai.ml.entities._component.component_factory import component_factory
from azure.ai.ml.entities._job.automl.automl_job import AutoMLJob
from azure.ai.ml.entities._job.finetuning.finetuning_job import FineTuningJob
from marshmallow import INCLUDE, Schema

# Kinds by the names of their schemas.
_KINDS = {
    "command job": "CommandJob",
    "distillation job": "DistillationJob",
    "import job": "ImportJob",
    "pipeline job": "PipelineJob",
    "spark job": "SparkJob",
    "sweep job": "SweepJob",
    "environment file": "AnonymousEnvironment",
    "job schedule": "JobSchedule",
    "import schedule": "ImportDataSchedule",
    "monitor schedule": "MonitorSchedule",
}
# Components that a pipeline names by their files, which may have no name.
_ANONYMOUS = {
    "command": "AnonymousCommandComponent",
    "copy_data": "AnonymousDataTransferCopyComponent",
    "import": "AnonymousImportComponent",
    "parallel": "AnonymousParallelComponent",
    "pipeline": "_AnonymousPipelineComponent",
    "spark": "AnonymousSparkComponent",
}
# Kinds that one more key divides, and the jobs by its values.
_DIVIDED = {
    "automl job": ("task", AutoMLJob._get_task_mapping()),
    "finetuning job": ("model_provider", FineTuningJob._get_model_provider_mapping()),
}
_PREFIX = "data_transfer_"


def divided() -> Iterator[tuple[str, str, dict[str, Schema]]]:
    """Yield each divided kind, its key, and the schemas by the values of that."""
    for kind, (key, jobs) in _DIVIDED.items():
        names = {value: job.__name__.removesuffix("Job") for value, job in jobs.items()}
        # Those of tables begin so, and their jobs do not.
        schemas = {value: _schema_of(f"AutoML{name}", name) for value, name in names.items()}
        yield kind, key, schemas


def roots() -> list[tuple[str, Schema, str | None]]:
    """Return each undivided kind, its schema, and what becomes of keys that the schema lacks.

    Pipelines come last: they let fields that other kinds share take `${{…}}`.
    """
    return sorted(_roots(), key=lambda root: "pipeline" in root[0])


def _roots() -> Iterator[tuple[str, Schema, str | None]]:
    for kind, name in _KINDS.items():
        yield kind, _schema_of(name), None
    for name, create in component_factory._create_schema_funcs.items():
        # A flow is read by other schemas than the one that is registered for it.
        if name != NodeType.FLOW_PARALLEL:
            yield f"{name.removeprefix(_PREFIX)} component", create(_context()), INCLUDE
    for name, anonymous in _ANONYMOUS.items():
        yield f"anonymous {name} component", _schema_of(anonymous), INCLUDE


def _schema_of(*names: str) -> Schema:
    """Return the first of these schemas that there is, wherever azure-ai-ml defines it."""
    for module in pkgutil.walk_packages(_schema.__path__, f"{_schema.__name__}."):
        found = vars(importlib.import_module(module.name))
        for name in names:
            if f"{name}Schema" in found:
                schema: Schema = found[f"{name}Schema"](context=_context())
                return schema
    raise LookupError(f"azure-ai-ml has no schema {' or '.join(names)}")


def _context() -> dict[str, Any]:
    return {"base_path": Path()}
