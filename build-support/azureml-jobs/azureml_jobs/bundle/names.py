"""The names of files and folders in a bundle."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from azureml_jobs.jobfile.paths import unique_name

JOB_FILE = "azure-ml-job.yaml"
CODE_FOLDER = "code"
ENVIRONMENT_FOLDER = "environment"
DATA_FOLDER = "data"
MANIFEST_FILE = "manifest.json"
# What git applies to the commit to get what ran.
DIFF_FILE = "changes.diff"


def document_names(
    paths: Iterable[str], job_file: str, in_code: Mapping[str, str]
) -> dict[str, str]:
    """Return the name of each document in the bundle, by its path in the repository.

    `in_code` are the names of those that are in their own code.
    """
    names = {}
    taken = {JOB_FILE, CODE_FOLDER, ENVIRONMENT_FOLDER, DATA_FOLDER, MANIFEST_FILE, DIFF_FILE}
    for path in paths:
        name = JOB_FILE
        if path in in_code:
            name = in_code[path]
        elif path != job_file:
            stem, ending = posixpath.splitext(posixpath.basename(path))
            name = unique_name(stem, taken, ending)
        names[path] = name
    return names
