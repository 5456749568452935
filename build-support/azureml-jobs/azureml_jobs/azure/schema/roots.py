"""The marshmallow schemas by which azure-ai-ml reads each kind of file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azure.ai.ml._schema._data_import.schedule import ImportDataScheduleSchema
from azure.ai.ml._schema._distillation.distillation_job import DistillationJobSchema
from azure.ai.ml._schema._finetuning.azure_openai_finetuning import AzureOpenAIFineTuningSchema
from azure.ai.ml._schema._finetuning.custom_model_finetuning import CustomModelFineTuningSchema
from azure.ai.ml._schema._sweep.sweep_job import SweepJobSchema
from azure.ai.ml._schema.assets.environment import AnonymousEnvironmentSchema
from azure.ai.ml._schema.automl import (
    AutoMLClassificationSchema,
    AutoMLForecastingSchema,
    AutoMLRegressionSchema,
)
from azure.ai.ml._schema.automl.image_vertical.image_classification import (
    ImageClassificationMultilabelSchema,
    ImageClassificationSchema,
)
from azure.ai.ml._schema.automl.image_vertical.image_object_detection import (
    ImageInstanceSegmentationSchema,
    ImageObjectDetectionSchema,
)
from azure.ai.ml._schema.automl.nlp_vertical.text_classification import TextClassificationSchema
from azure.ai.ml._schema.automl.nlp_vertical.text_classification_multilabel import (
    TextClassificationMultilabelSchema,
)
from azure.ai.ml._schema.automl.nlp_vertical.text_ner import TextNerSchema
from azure.ai.ml._schema.component.command_component import AnonymousCommandComponentSchema
from azure.ai.ml._schema.component.data_transfer_component import (
    AnonymousDataTransferCopyComponentSchema,
)
from azure.ai.ml._schema.component.import_component import AnonymousImportComponentSchema
from azure.ai.ml._schema.component.parallel_component import AnonymousParallelComponentSchema
from azure.ai.ml._schema.component.spark_component import AnonymousSparkComponentSchema
from azure.ai.ml._schema.job import CommandJobSchema, ImportJobSchema, SparkJobSchema
from azure.ai.ml._schema.monitoring.schedule import MonitorScheduleSchema
from azure.ai.ml._schema.pipeline import PipelineJobSchema
from azure.ai.ml._schema.pipeline.pipeline_component import _AnonymousPipelineComponentSchema
from azure.ai.ml._schema.schedule.schedule import JobScheduleSchema
from azure.ai.ml.constants._component import NodeType
from azure.ai.ml.entities._component.component_factory import component_factory
from marshmallow import INCLUDE, Schema

_KINDS: dict[str, type[Schema]] = {
    "command job": CommandJobSchema,
    "distillation job": DistillationJobSchema,
    "import job": ImportJobSchema,
    "pipeline job": PipelineJobSchema,
    "spark job": SparkJobSchema,
    "sweep job": SweepJobSchema,
    "environment file": AnonymousEnvironmentSchema,
    "job schedule": JobScheduleSchema,
    "import schedule": ImportDataScheduleSchema,
    "monitor schedule": MonitorScheduleSchema,
}
# Components that a pipeline names by their files, which may have no name.
_ANONYMOUS: dict[str, type[Schema]] = {
    "command": AnonymousCommandComponentSchema,
    "copy_data": AnonymousDataTransferCopyComponentSchema,
    "import": AnonymousImportComponentSchema,
    "parallel": AnonymousParallelComponentSchema,
    "pipeline": _AnonymousPipelineComponentSchema,
    "spark": AnonymousSparkComponentSchema,
}
# Kinds that one more key divides (`AutoMLJob._get_task_mapping`,
# `FineTuningJob._get_model_provider_mapping`).
DIVIDED: dict[str, tuple[str, dict[str, type[Schema]]]] = {
    "automl job": (
        "task",
        {
            "classification": AutoMLClassificationSchema,
            "regression": AutoMLRegressionSchema,
            "forecasting": AutoMLForecastingSchema,
            "image_classification": ImageClassificationSchema,
            "image_classification_multilabel": ImageClassificationMultilabelSchema,
            "image_object_detection": ImageObjectDetectionSchema,
            "image_instance_segmentation": ImageInstanceSegmentationSchema,
            "text_ner": TextNerSchema,
            "text_classification": TextClassificationSchema,
            "text_classification_multilabel": TextClassificationMultilabelSchema,
        },
    ),
    "finetuning job": (
        "model_provider",
        {"azure_open_ai": AzureOpenAIFineTuningSchema, "custom": CustomModelFineTuningSchema},
    ),
}
_PREFIX = "data_transfer_"


def context() -> dict[str, Any]:
    return {"base_path": Path()}


def roots() -> list[tuple[str, Schema, str | None]]:
    """Return each undivided kind, its schema, and what becomes of keys that the schema lacks.

    Pipelines come last: they let fields that other kinds share take `${{…}}`.
    """
    return sorted(_roots(), key=lambda root: "pipeline" in root[0])


def _roots() -> Iterator[tuple[str, Schema, str | None]]:
    for kind, schema in _KINDS.items():
        yield kind, schema(context=context()), None
    for name, create in component_factory._create_schema_funcs.items():
        if name == NodeType.FLOW_PARALLEL:
            # A flow is read by other schemas than the one that is registered for it.
            continue
        yield f"{name.removeprefix(_PREFIX)} component", create(context()), INCLUDE
    for name, anonymous in _ANONYMOUS.items():
        yield f"anonymous {name} component", anonymous(context=context()), INCLUDE
