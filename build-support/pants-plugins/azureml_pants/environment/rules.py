"""The rules of this folder."""

from __future__ import annotations

from azureml_pants.environment import image, needed_packages, packages, runtime
from pants.engine.rules import collect_rules


def rules():
    return collect_rules(image, needed_packages, packages, runtime)
