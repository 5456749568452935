"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.code import rules as code
from azureml_pants.environment import rules as environment
from azureml_pants.image import base_images, requirements, tag
from azureml_pants.image.requirements import LockedRequirementsTarget
from azureml_pants.job_tool.message import check_version
from pants.engine.rules import collect_rules


def target_types():
    return [LockedRequirementsTarget]


def rules():
    check_version()
    return [
        *code.rules(),
        *environment.rules(),
        *collect_rules(base_images),
        *requirements.rules(),
        *tag.rules(),
    ]
