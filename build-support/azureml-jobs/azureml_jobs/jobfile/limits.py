"""Limits of the service that azure-ai-ml does not check before it sends a file.

Numbers are from https://learn.microsoft.com/azure/machine-learning/resource-limits-capacity unless
a comment says otherwise.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from azureml_jobs.jobfile.findings import Finding, raise_findings
from azureml_jobs.jobfile.node_limits import node_findings
from azureml_jobs.jobfile.sweep.check import sweep_findings

# What the service answers: "Experiment name must be 1-256 characters, start with a letter or a
# number, and can only contain letters, numbers, underscores, and dashes."
_EXPERIMENT_LENGTH = 256
# The pattern of names in https://learn.microsoft.com/rest/api/azureml/jobs/create-or-update.
_NAME_LENGTH = 255
_TEXT_LENGTHS = {"display_name": 256, "description": 5000}
# The most entries, and the longest key and value.
_ENTRIES = {"tags": (50, 100, 1000), "properties": (50, 100, 1000)}
_DATA_ENTRIES = {"inputs": 200, "outputs": 20}
# "The storage limit for experiment snapshots is 300 MB and/or 2,000 files."
# https://learn.microsoft.com/azure/machine-learning/how-to-save-write-experiment-files
SNAPSHOT_FILES = 2000
SNAPSHOT_BYTES = 300 * 1024 * 1024
CONTEXT_FILES = 100
CONTEXT_BYTES = 1024 * 1024


def check_limits(document: Mapping[str, Any], path: str) -> None:
    """Raise a `JobError` that lists all `limit_findings`."""
    raise_findings(path, limit_findings(document))


def limit_findings(document: Mapping[str, Any]) -> list[Finding]:
    """Return what the service would refuse in a document that its schema has passed."""
    found = (_names(document), _texts(document), _entries(document), _data(document))
    return [*itertools.chain(*found), *node_findings(document), *sweep_findings(document)]


def _names(document: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _name("name", document.get("name"), _NAME_LENGTH)
    version = document.get("version")
    if version is not None:
        yield from _name("version", str(version), _NAME_LENGTH, ".")
    yield from _name("experiment_name", document.get("experiment_name"), _EXPERIMENT_LENGTH)
    outputs = document.get("outputs")
    for key, output in outputs.items() if isinstance(outputs, Mapping) else ():
        if isinstance(output, Mapping):
            # Names of data and of models may have periods, too.
            yield from _name(f"outputs.{key}.name", output.get("name"), _NAME_LENGTH, ".")


def _name(key_path: str, name: Any, longest: int, more: str = "") -> Iterator[Finding]:
    # `${{…}}` becomes the name only in the cloud.
    if not isinstance(name, str) or "${{" in name:
        return
    if re.fullmatch(rf"[a-zA-Z0-9][\w{more}-]*", name, re.ASCII) and len(name) <= longest:
        return
    if len(name) > longest:
        remedy = f"It has {len(name)} characters. Shorten it."
    else:
        valid = re.sub(rf"[^\w{more}-]+", "-", name, flags=re.ASCII).strip("-_.") or "NAME"
        remedy = f"Write for example `{valid}`."
    periods = "periods, " if more else ""
    yield Finding(
        key_path,
        f"`{name[:40]}` is not a name that Azure ML takes: at most {longest} letters, digits, "
        f"{periods}hyphens and underscores, a letter or digit first",
        remedy,
    )


def _texts(document: Mapping[str, Any]) -> Iterator[Finding]:
    for key, longest in _TEXT_LENGTHS.items():
        text = document.get(key)
        if isinstance(text, str) and len(text) > longest:
            yield _too_long(key, text, longest)


def _entries(document: Mapping[str, Any]) -> Iterator[Finding]:
    for group, (most, longest_key, longest_value) in _ENTRIES.items():
        entries = document.get(group)
        if not isinstance(entries, Mapping):
            continue
        if len(entries) > most:
            yield _too_many(group, len(entries), most)
        for key, value in entries.items():
            if len(key) > longest_key:
                yield _too_long(f"{group}.{key[:40]}…", key, longest_key)
            if isinstance(value, str) and len(value) > longest_value:
                yield _too_long(f"{group}.{key}", value, longest_value)


def _data(document: Mapping[str, Any]) -> Iterator[Finding]:
    for group, most in _DATA_ENTRIES.items():
        entries = document.get(group)
        values = entries.values() if isinstance(entries, Mapping) else ()
        data = [value for value in values if group == "outputs" or isinstance(value, Mapping)]
        if len(data) > most:
            yield _too_many(group, len(data), most)


def _too_long(key_path: str, text: str, longest: int) -> Finding:
    what = f"Azure ML takes at most {longest} characters here, and this has {len(text)}"
    return Finding(key_path, what, "Shorten it.")


def _too_many(group: str, count: int, most: int) -> Finding:
    what = f"Azure ML takes at most {most} of `{group}:`, and these are {count}"
    return Finding(group, what, "Remove some.")
