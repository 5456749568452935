"""The names of files and folders in a bundle."""

from __future__ import annotations

JOB_FILE = "azure-ml-job.yaml"
CODE_FOLDER = "code"
ENVIRONMENT_FOLDER = "environment"
DATA_FOLDER = "data"
MANIFEST_FILE = "manifest.json"
# What git applies to the commit to get what ran.
DIFF_FILE = "changes.diff"
TAKEN_NAMES = (JOB_FILE, CODE_FOLDER, ENVIRONMENT_FOLDER, DATA_FOLDER, MANIFEST_FILE, DIFF_FILE)
