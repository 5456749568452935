"""What azure-ai-ml does in code, and generate.py cannot derive: its fields and its hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_INTEGER = r"\s*[-+]?\d+(_\d+)*\s*"
_DIGITS = r"\d+(_\d+)*"
_FLOAT = rf"\s*[-+]?({_DIGITS}\.?({_DIGITS})?|\.{_DIGITS})([eE][-+]?{_DIGITS})?\s*"
_SPECIAL = r"\s*[-+]?([nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)\s*"
_WORKSPACE = (
    "subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.MachineLearningServices"
    "/workspaces/[^/]+/"
)
# An id in the form of Azure Resource Manager needs a version (`AMLVersionedArmId`).
_ARM_ID = rf"/?{_WORKSPACE}[^/]+/[^/]+/versions/[^/]+.*"
_REGISTRY_ID = "azureml://registries/[^/]+/[^/]+/[^/]+/versions/[^/]+.*"
_NAME = rf"(?!/{_WORKSPACE})(/.*|[^/]*)"
_DATE_TIME = (
    r"\d{4}-(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01])[T ]([01]?\d|2[0-3]):[0-5]?\d"
    r"(:[0-5]?\d(\.\d{1,12})?)?(Z|[+-]\d{2}(:?\d{2})?)?"
)


def _text(pattern: str, kind: str) -> dict[str, Any]:
    return {"kind": kind, "type": "string", "pattern": f"^({pattern})$"}


def _number(kind: str, pattern: str, *more: str) -> dict[str, Any]:
    types = ["number", "string", *more]
    return {"kind": kind, "type": types, "pattern": f"^({pattern})$"}


# The JSON schema of each class of field that has one value. `Strict` and `Any` stand for the
# arguments `strict` and `allow_default_version`.
SCALARS: dict[str, Any] = {
    "String": {"kind": "text", "type": "string"},
    "Raw": {"kind": "any"},
    "Integer": _number("integer", _INTEGER),
    "StrictInteger": {"kind": "integer", "type": "integer"},
    "Float": _number("number", _FLOAT),
    # Only next to a StrictInteger.
    "StrictDumpableFloatField": {"kind": "number", "type": "number"},
    "Number": _number("number", f"{_FLOAT}|{_SPECIAL}", "special"),
    # The texts and numbers that marshmallow takes for a boolean (`fields.Boolean`).
    "Boolean": {
        "kind": "boolean",
        "enum": [
            *(True, "t", "T", "true", "True", "TRUE", "on", "On", "ON", "y", "Y"),
            *("yes", "Yes", "YES", "1", 1),
            *(False, "f", "F", "false", "False", "FALSE", "off", "Off", "OFF", "n", "N"),
            *("no", "No", "NO", "0", 0),
        ],
    },
    "DateTime": _text(_DATE_TIME, "time"),
    "DateTimeStr": _text(_DATE_TIME, "time"),
    "Url": _text(r"(?i:https?|ftps?)://\S+", "url"),
    # A file or folder that exists, which others check.
    "LocalPathField": _text(r"(?!azureml:|https?:|git\+|\$\{\{).+", "path"),
    "FileRefField": _text(r"(?!azureml:|file:|https?:).+", "file"),
    "ComponentYamlRefField": _text(r"(?!azureml:|file:|https?:).+", "file"),
    "GitStr": _text(r"git\+.*", "reference"),
    "ArmStr": _text("azureml:.*", "reference"),
    "ArmVersionedStr": _text(
        f"azureml:({_ARM_ID}|{_REGISTRY_ID}|(?=.*@[^@]+$|[^:]*:.+){_NAME})?", "reference"
    ),
    "AnyArmVersionedStr": _text(f"azureml:({_ARM_ID}|{_REGISTRY_ID}|{_NAME})?", "reference"),
    "RegistryStr": _text("azureml://registries/.*", "reference"),
    "InternalRegistryStr": _text("azureml://(feeds|registries)/.*", "reference"),
    "DataBindingStr": _text(r".*\$\{\{\s*\S*?\s*\}\}.*", "binding"),
    "NodeBindingStr": _text(r"\$\{\{\s*\S*?\s*\}\}", "binding"),
    "OutputBindingStr": {
        "anyOf": [
            _text(r"\$\{\{parent\.outputs\.(.*?)\}\}", "binding"),
            {
                "type": "object",
                "required": ["path"],
                "properties": {
                    "path": _text(r"\$\{\{parent\.outputs\.(.*?)\}\}", "binding"),
                    **dict.fromkeys(("mode", "name", "version"), False),
                },
            },
        ]
    },
    "VersionField": {"kind": "version", "type": ["string", "number", "special", "boolean"]},
    "NumberVersionField": {
        "kind": "version",
        "type": ["string", "number"],
        "pattern": rf"^{_INTEGER}(\.{_INTEGER})*$",
    },
    "PythonFuncNameStr": _text(r"[a-z][a-z\d_]*", "component name"),
    # azure-ai-ml refuses other names of inputs and outputs only when it sends them.
    "PortName": _text(r"[a-zA-Z_]\w*", "name"),
    "DottedPortName": _text(r"[a-zA-Z_]\w*(\.\w+)*", "name"),
    "PipelineNodeNameStr": _text(r"[a-z_][a-z\d_]*", "step name"),
}

_NOTHING: Mapping[str, Any] = {}
_ONE_SINK = {"rules": ["one output sink"]}
_ONE_SOURCE = {"rules": ["one input source"]}
_NO_INPUTS = {"properties": {"inputs": False}}
_NO_OUTPUTS = {"properties": {"outputs": False}}

_OPEN_TO = dict.fromkeys(
    ("description", "display_name", "experiment_name", "identity", "name", "services"),
    {"anyOf": [{"kind": "any"}, {"type": "null"}]},
)
_TYPED = {"rules": ["type of a registered component"]}
_UNBOUND_QUEUE = {"$ref": "#/$defs/QueueSettings"}
_TAGS = {"kind": "any", "type": ["array", "null", "object"]}

# What a hook adds to the JSON schema of its class. A hook `make` builds an object, mostly of any
# data that got so far, so that only the others are listed.
_HOOKS: dict[str, Mapping[str, Any]] = {
    "PathAwareSchema.add_param_overrides": _NOTHING,
    "PathAwareSchema.trim_dump_only": _NOTHING,
    "YamlFileSchema.load_from_file": {"rules": ["may be a file"]},
    "YamlFileSchema.reset_base_path_post_load": _NOTHING,
    "ResourceSchema.pass_source_path": _NOTHING,
    "AnonymousAssetSchema.warn_if_named": _NOTHING,
    "ComponentSchema.convert_version_to_str": {"properties": {"version": {"kind": "version"}}},
    "AnonymousEnvironmentSchema.trim_dump_only": {
        "properties": {"name": {"kind": "any"}, "version": {"kind": "any"}}
    },
    "_BaseEnvironmentSchema.pre_load": {"properties": {"channels": False, "dependencies": False}},
    "BaseCreateJobSchema.pre_load": _NOTHING,
    "PipelineJobSchema.check_exclusive_fields": {"rules": ["jobs or component"]},
    "ParameterizedSparkSchema.map_conf_field_names": _NOTHING,
    "ParameterizedSparkSchema.demote_conf_fields": _NOTHING,
    **{
        f"ParameterizedSparkSchema.no_duplicate_{key}": {"rules": [f"no duplicates in {key}"]}
        for key in ("archives", "files", "jars", "py_files")
    },
    "AzureOpenAIFineTuningSchema.post_load_processing": _NOTHING,
    "CustomModelFineTuningSchema.post_load_processing": _NOTHING,
    # They convert what a pipeline dumped itself.
    "ImageModelDistributionSettingsClassificationSchema.before_make": _NOTHING,
    "ImageModelDistributionSettingsDetectionCommonSchema.before_make": _NOTHING,
    "NlpParameterSubspaceSchema.before_make": _NOTHING,
    "DataTransferCopyComponentSchema.outputs_key": {"rules": ["one output"]},
    "DataTransferExportComponentSchema.inputs_key": _ONE_SOURCE,
    "DataTransferExportComponentSchema.outputs_key": _NO_OUTPUTS,
    "DataTransferExportJobSchema.inputs_key": _ONE_SOURCE,
    "DataTransferExportSchema.inputs_key": _ONE_SOURCE,
    "DataTransferExportSchema.outputs_key": _NO_OUTPUTS,
    "DataTransferImportComponentSchema.inputs_key": _NO_INPUTS,
    "DataTransferImportComponentSchema.outputs_key": _ONE_SINK,
    "DataTransferImportJobSchema.outputs_key": _ONE_SINK,
    "DataTransferImportSchema.inputs_key": _NO_INPUTS,
    "DataTransferImportSchema.outputs_key": _ONE_SINK,
    # Its class takes no other keys, though its schema does.
    "PipelineParallelJobSchema.make": {
        "additionalProperties": False,
        "properties": {**_OPEN_TO, "tags": _TAGS, "comment": False, "environment": False},
    },
    "AutoMLNodeMixin.make": {"additionalProperties": False},
    **{
        f"{name}Schema.make": {"required": keys}
        for name, keys in {
            "CustomMonitoringMetricThreshold": ["metric_name"],
            "CustomMonitoringSignal": ["component_id", "metric_thresholds"],
            "DataImport": ["name"],
            "FADProductionData": ["input_data"],
            "FeatureAttributionDriftSignal": ["metric_thresholds", "reference_data"],
            "GenerationSafetyQuality": ["metric_thresholds"],
            "ImageSweepSettings": ["sampling_algorithm"],
            "InputLiteralValue": ["value"],
            "JobResources": ["instance_types"],
            "LlmData": ["input_data"],
            "ModelPerformanceSignal": ["metric_thresholds", "production_data", "reference_data"],
            "MonitorDefinition": ["compute"],
            "NlpSweepSettings": ["sampling_algorithm"],
            "PredictionDriftSignal": ["metric_thresholds"],
            "ProductionData": ["input_data"],
            "ReferenceData": ["input_data"],
            "ServerlessConnection": ["endpoint"],
            "ServerlessSparkCompute": ["instance_type", "runtime_version"],
            "StackEnsembleSettings": ["stack_meta_learner_type"],
            "WorkspaceConnection": ["credentials"],
        }.items()
    },
}

# What the classes of whole files check when they are built.
CLASSES: dict[str, Mapping[str, Any]] = {
    # azure-ai-ml refuses such an environment only when it is sent.
    "AnonymousEnvironmentSchema": {
        "rules": ["image or build"],
        "properties": {"conda_file": {"kind": "any", "type": ["object", "string"]}},
    },
    "AutoMLTableVerticalSchema": {"required": ["training_data"]},
    "BaseCreateJobSchema": {"rules": ["scheduled job"]},
    # Steps: their classes make a mapping of the tags. Only those of commands convert what is below
    # `queue_settings`, so that the others may bind it.
    "CommandSchema": {"properties": {"queue_settings": _UNBOUND_QUEUE, "tags": _TAGS}},
    "PipelineCommandJobSchema": {"properties": {"queue_settings": _UNBOUND_QUEUE}},
    **dict.fromkeys(("ParallelSchema", "SparkSchema"), {"properties": {"tags": _TAGS}, **_TYPED}),
    **dict.fromkeys(("ImportSchema", "PipelineSchema"), _TYPED),
    "ImageModelSettingsObjectDetectionSchema": {
        "properties": dict.fromkeys(
            ("log_training_metrics", "log_validation_loss"),
            {"kind": "choice", "choices": ["enable", "disable"], "case": "lower"},
        )
    },
    "ImageVerticalSchema": {
        "required": ["training_data"],
        "properties": {"test_data_size": False},
    },
    "ImportDataScheduleSchema": {"required": ["import_data", "trigger"]},
    "InputPortSchema": {"properties": {"default": False}},
    "JobServiceBaseSchema": {"properties": {"nodes": {"enum": ["all"]}}},
    "JobScheduleSchema": {"required": ["create_job", "trigger"]},
    "MonitorScheduleSchema": {"required": ["create_monitor", "trigger"]},
    "ParallelComponentSchema": {
        "properties": {"mini_batch_size": _text(r"\d+([kKmMgG][bB])*", "batch size")}
    },
    "ParameterizedParallelSchema": {
        "properties": {
            "mini_batch_size": _text(r"\d+([kKmMgG][bB])*|\$\{\{\s*\S*?\s*\}\}", "batch size")
        }
    },
    # Any mapping is one of variables, also one with `value` that pipelines bind.
    "ParameterizedCommandSchema": {
        "properties": {
            "environment_variables": {
                "type": "object",
                "additionalProperties": {"anyOf": [{"kind": "variable"}, {"type": "null"}]},
            }
        }
    },
    **dict.fromkeys(("PipelineComponentSchema", "PipelineJobSchema"), {"rules": ["bindings"]}),
    "ParameterSchema": {"rules": ["default of its type"]},
}

# Keys that a pipeline's step may bind to `${{…}}` by the schema of its class, although azure-ai-ml
# needs their values to make an object of the step, or of what it sends.
NEVER_BOUND: Mapping[str, tuple[str, ...]] = {
    "AutoMLVerticalSchema": ("log_verbosity",),
    "ImageModelSettingsObjectDetectionSchema": ("model_size", "validation_metric_type"),
    "ImageModelSettingsSchema": ("learning_rate_scheduler", "optimizer"),
    "ImageSweepSettingsSchema": ("early_termination",),
    "NlpFixedParametersSchema": ("learning_rate_scheduler",),
    "NlpSweepSettingsSchema": ("early_termination",),
    "ParameterizedParallelSchema": ("environment_variables",),
    "ParameterizedSweepSchema": ("early_termination", "sampling_algorithm"),
    "StackEnsembleSettingsSchema": ("stack_meta_learner_type",),
    "TrainingSettingsSchema": ("training_mode",),
}


def hook_keywords(hook: str, owner: str) -> Mapping[str, Any]:
    """Return what a hook adds. Raises `LookupError` for one that nobody has looked at."""
    name = f"{owner}.{hook}"
    if name not in _HOOKS and hook != "make":
        raise LookupError(f"hooks.py does not say what {name} does")
    return _HOOKS.get(name, _NOTHING)
