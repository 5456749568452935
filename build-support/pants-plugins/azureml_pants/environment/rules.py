"""The rules of this folder."""

from __future__ import annotations

from azureml_pants.environment import image, needed_packages, packages, runtime


def rules():
    return [*image.rules(), *needed_packages.rules(), *packages.rules(), *runtime.rules()]
