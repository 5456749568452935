"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.file_set import generate
from azureml_pants.file_set.target_types import FileSetTarget


def target_types():
    return [FileSetTarget]


def rules():
    return generate.rules()
