"""Limits of each job, step and component in a document that azure-ai-ml does not check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from azureml_jobs.jobfile.documents import Node, nodes_of, value_at
from azureml_jobs.jobfile.findings import Finding

# "This should be in the format of (number)(unit) where number as to be greater than 0 and the unit
# can be one of b(bytes), k(kilobytes), m(megabytes), or g(gigabytes)."
# https://learn.microsoft.com/rest/api/azureml/jobs/create-or-update
_MEMORY = re.compile(r"0*[1-9]\d*[bBkKmMgG]")
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
_COMPUTE = re.compile(r"(?:azureml:)?[\w-]+")
_ENVIRONMENT = re.compile(r"azureml:[a-zA-Z0-9][\w.-]*(?:(?:[:@]|/versions/)[a-zA-Z0-9][\w.-]*)?")
# What is no name: an address, an expression, a placeholder.
_ADDRESS = re.compile(r"(?:azureml:)?/subscriptions/|azureml:?//|.*[<{]", re.IGNORECASE)


def node_findings(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what the service, or the machine that runs it, refuses of the nodes of a document."""
    for node in nodes_of(document):
        yield from _references(node)
        yield from _resources(node)
        yield from _variables(node)


def _references(node: Node) -> Iterator[Finding]:
    for key, pattern in (("compute", _COMPUTE), ("environment", _ENVIRONMENT)):
        text = node.value.get(key)
        if not isinstance(text, str) or _ADDRESS.match(text) or pattern.fullmatch(text):
            continue
        if key == "compute" or text.startswith("azureml:"):
            yield Finding(
                _path(node, key),
                f"nothing in a workspace can have the name `{text.removeprefix('azureml:')}`",
                f"Write the name that the studio shows: {_shape(key)}.",
            )


def _shape(key: str) -> str:
    return "`azureml:NAME`" if key == "compute" else "`azureml:NAME:VERSION`"


def _resources(node: Node) -> Iterator[Finding]:
    memory = value_at(node.value, ("resources", "shm_size"))
    if isinstance(memory, str) and "${{" not in memory and not _MEMORY.fullmatch(memory):
        yield Finding(
            _path(node, "resources", "shm_size"),
            f"`{memory}` is not a size",
            "Write a whole number with b, k, m or g, such as `2g`.",
        )
    for keys in (("resources", "instance_count"), ("limits", "timeout")):
        number = value_at(node.value, keys)
        # Components of Microsoft leave a number to their users by -1.
        if isinstance(number, int) and number < 1 and number != -1:
            yield Finding(_path(node, *keys), f"{number} is less than 1", "Write 1 or more.")


def _variables(node: Node) -> Iterator[Finding]:
    variables = node.value.get("environment_variables")
    for name in variables if isinstance(variables, Mapping) else ():
        if not name or "=" in str(name) or "\0" in str(name):
            yield Finding(
                _path(node, "environment_variables"),
                f"no variable can have the name `{name}`",
                "Write `NAME: value`, with letters, digits and underscores in the name.",
            )


def _path(node: Node, *keys: str) -> str:
    return ".".join((*node.keys, *keys))
