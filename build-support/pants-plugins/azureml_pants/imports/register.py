"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.code import rules as code
from azureml_pants.imports import lint


def rules():
    return [*code.rules(), *lint.rules()]
