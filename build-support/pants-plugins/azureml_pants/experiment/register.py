"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.experiment import hashes, sessions, stray_tests, unreadable
from azureml_pants.experiment.target_types import (
    ExperimentImageTarget,
    FolderSourcesTarget,
    FolderTestsTarget,
    ImageContextTarget,
)


def target_types():
    return [
        ImageContextTarget,
        ExperimentImageTarget,
        FolderSourcesTarget,
        FolderTestsTarget,
    ]


def rules():
    hashes.tell_addresses_apart()
    sessions.keep_build_files()
    unreadable.wrap_pants()
    return stray_tests.rules()
