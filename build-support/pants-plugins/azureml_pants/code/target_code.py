"""The code of a target that runs a command: a job, or a local script."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.protocol import NeededFile
from azureml_pants.code.job_fields import (
    AzureMLJobSourceField,
    AzureMLLocalEntryPointField,
)
from pants.engine.addresses import Address
from pants.engine.fs import Digest
from pants.engine.target import Target


@dataclass(frozen=True)
class TargetCodeRequest:
    """`target` has a command."""

    target: Target


@dataclass(frozen=True)
class TargetCode:
    """Everything that the commands of the target load.

    `generated` holds the files that only targets have, `dependencies` own files and packages.
    """

    address: Address
    files: tuple[NeededFile, ...]
    generated: Digest
    requirements: tuple[str, ...]
    dependencies: tuple[Address, ...]


def has_command(target: Target) -> bool:
    return target.has_field(AzureMLJobSourceField) or target.has_field(AzureMLLocalEntryPointField)
