"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.code import rules as code
from azureml_pants.imports import further_modules, lint


def rules():
    return [*code.rules(), *further_modules.rules(), *lint.rules()]
