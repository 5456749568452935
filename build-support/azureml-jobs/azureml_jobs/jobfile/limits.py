"""Limits of the service that azure-ai-ml does not check before it sends a file.

Numbers are from https://learn.microsoft.com/azure/machine-learning/resource-limits-capacity unless
a comment says otherwise.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from azureml_jobs.jobfile.documents import Node, mapping_of, nodes_of, value_at
from azureml_jobs.jobfile.findings import Finding
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
# "This should be in the format of (number)(unit) where number as to be greater than 0 and the unit
# can be one of b(bytes), k(kilobytes), m(megabytes), or g(gigabytes)."
# https://learn.microsoft.com/rest/api/azureml/jobs/create-or-update
_MEMORY = re.compile(r"0*[1-9]\d*[bBkKmMgG]")
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
_COMPUTE = re.compile(r"(?:azureml:)?[\w-]+")
_ENVIRONMENT = re.compile(r"azureml:[a-zA-Z0-9][\w.-]*(?:(?:[:@]|/versions/)[a-zA-Z0-9][\w.-]*)?")
# What is no name: an address, an expression, a placeholder.
_ADDRESS = re.compile(r"(?:azureml:)?/subscriptions/|azureml:?//|.*[<{]", re.IGNORECASE)


def limit_findings(document: Mapping[str, Any]) -> list[Finding]:
    """Return what the service would refuse in a document that its schema has passed."""
    found = (_names(document), _lengths(document))
    of_nodes = (
        check(node)
        for node in nodes_of(document)
        for check in (_references, _resources, _variables)
    )
    return [*itertools.chain(*found, *of_nodes), *sweep_findings(document)]


def _names(document: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _name("name", document.get("name"), _NAME_LENGTH)
    version = document.get("version")
    yield from _name("version", None if version is None else str(version), _NAME_LENGTH, ".")
    yield from _name("experiment_name", document.get("experiment_name"), _EXPERIMENT_LENGTH)
    for key, output in mapping_of(document.get("outputs")).items():
        if isinstance(output, Mapping):
            # Names of data and of models may have periods, too.
            yield from _name(f"outputs.{key}.name", output.get("name"), _NAME_LENGTH, ".")


def _name(key_path: str, name: Any, longest: int, more: str = "") -> Iterator[Finding]:
    # `${{…}}` becomes the name only in the cloud.
    if not isinstance(name, str) or "${{" in name:
        return
    if len(name) > longest:
        remedy = f"It has {len(name)} characters. Shorten it."
    elif re.fullmatch(rf"[a-zA-Z0-9][\w{more}-]*", name, re.ASCII):
        return
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


def _lengths(document: Mapping[str, Any]) -> Iterator[Finding]:
    for key, longest in _TEXT_LENGTHS.items():
        yield from _length(key, document.get(key), longest)
    for group, (most, longest_key, longest_value) in _ENTRIES.items():
        entries = mapping_of(document.get(group))
        yield from _count(group, len(entries), most)
        for key, value in entries.items():
            yield from _length(f"{group}.{key[:40]}…", key, longest_key)
            yield from _length(f"{group}.{key}", value, longest_value)

    for group, most in _DATA_ENTRIES.items():
        values = mapping_of(document.get(group)).values()
        data = [value for value in values if group == "outputs" or isinstance(value, Mapping)]
        yield from _count(group, len(data), most)


def _length(key_path: str, text: Any, longest: int) -> Iterator[Finding]:
    if isinstance(text, str) and len(text) > longest:
        what = f"Azure ML takes at most {longest} characters here, and this has {len(text)}"
        yield Finding(key_path, what, "Shorten it.")


def _count(group: str, count: int, most: int) -> Iterator[Finding]:
    if count > most:
        what = f"Azure ML takes at most {most} of `{group}:`, and these are {count}"
        yield Finding(group, what, "Remove some.")


def _references(node: Node) -> Iterator[Finding]:
    for key, pattern, form in (
        ("compute", _COMPUTE, "`azureml:NAME`"),
        ("environment", _ENVIRONMENT, "`azureml:NAME:VERSION`"),
    ):
        text = node.value.get(key)
        if not isinstance(text, str) or _ADDRESS.match(text) or pattern.fullmatch(text):
            continue
        if key == "compute" or text.startswith("azureml:"):
            name = text.removeprefix("azureml:")
            what = f"nothing in a workspace can have the name `{name}`"
            remedy = f"Write the name that the studio shows: {form}."
            yield Finding(_path(node, key), what, remedy)


def _resources(node: Node) -> Iterator[Finding]:
    memory = value_at(node.value, ("resources", "shm_size"))
    if isinstance(memory, str) and "${{" not in memory and not _MEMORY.fullmatch(memory):
        remedy = "Write a whole number with b, k, m or g, such as `2g`."
        yield Finding(_path(node, "resources", "shm_size"), f"`{memory}` is not a size", remedy)
    for keys in (("resources", "instance_count"), ("limits", "timeout")):
        number = value_at(node.value, keys)
        # Components of Microsoft leave a number to their users by -1.
        if isinstance(number, int) and number < 1 and number != -1:
            yield Finding(_path(node, *keys), f"{number} is less than 1", "Write 1 or more.")


def _variables(node: Node) -> Iterator[Finding]:
    for name in mapping_of(node.value.get("environment_variables")):
        if not name or "=" in str(name) or "\0" in str(name):
            yield Finding(
                _path(node, "environment_variables"),
                f"no variable can have the name `{name}`",
                "Write `NAME: value`, with letters, digits and underscores in the name.",
            )


def _path(node: Node, *keys: str) -> str:
    return ".".join((*node.keys, *keys))
