"""The documents of a job: which nodes one has, and which other files these refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.jobfile.paths import local_path

FILE_PREFIX = "file:"
# A job file and all files that it refers to, by their paths.
Documents = Mapping[str, Mapping[str, Any]]
# Nodes that run code of the repository.
CODE_TYPES = ("command", "parallel", "spark", "flow")
# Keys of schedules that run no job.
_OTHER_SCHEDULES = frozenset({"create_monitor", "import_data"})
# A prompt flow, or a run of one, in place of a component.
_FLOW = re.compile(r"/promptflow/.*/(?:Flow|Run)\.schema\.json$")


@dataclass(frozen=True)
class Node:
    """A mapping that is a job, a step, a component or a trial; `keys` lead to it.

    `owner` is the sweep of a trial.
    """

    keys: tuple[str, ...]
    value: Mapping[str, Any]
    type: str
    owner: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Reference:
    """Another YAML file of the repository that the value at `keys` names.

    role: what it is there: "job", "environment", or "TYPE step" for the component of a pipeline's
    step, with no type where the step has none.
    """

    keys: tuple[str, ...]
    path: str
    role: str

    @property
    def is_environment(self) -> bool:
        return self.role == "environment"


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return the value if it is a mapping, otherwise an empty one."""
    return value if isinstance(value, Mapping) else {}


def nodes_of(document: Mapping[str, Any]) -> tuple[Node, ...]:
    """Return every node of the document, in the order of the file."""
    return tuple(_nodes((), document))


def _nodes(keys: tuple[str, ...], value: Mapping[str, Any], inherited: str = "") -> Iterator[Node]:
    if "create_job" in value:
        if isinstance(value["create_job"], Mapping):
            # What a schedule changes in the job that it names.
            yield Node((*keys, "create_job"), value["create_job"], "updates")
        return
    if not keys and not _OTHER_SCHEDULES.isdisjoint(value):
        return
    if is_flow(value):
        yield Node(keys, value, "flow")
        return
    written = value.get("type")
    # azure-ai-ml compares types without regard to case.
    type_ = written.lower() if isinstance(written, str) else inherited or "command"
    node = Node(keys, value, type_)
    yield node
    if isinstance(value.get("component"), Mapping):
        yield from _nodes((*keys, "component"), value["component"], node.type)
    if isinstance(value.get("trial"), Mapping):
        yield Node((*keys, "trial"), value["trial"], "command", value)
    steps = mapping_of(value.get("jobs")) if node.type == "pipeline" else {}
    for name, step in steps.items():
        if isinstance(step, Mapping):
            yield from _nodes((*keys, "jobs", str(name)), step)


def is_flow(document: Mapping[str, Any]) -> bool:
    """Return whether the document is a prompt flow or a run of one."""
    return bool(_FLOW.search(str(document.get("$schema"))))


def references_of(document: Mapping[str, Any], path: str) -> tuple[Reference, ...]:
    """Return the files that the document at `path` refers to, in order.

    Components, trials and scheduled jobs are named by a path, with or without `file:`; environments
    with it. Raises `JobError` for a path that leads out of the repository.
    """
    nodes = nodes_of(document)
    found: dict[tuple[str, ...], str] = {("create_job",): "job"}
    for node in nodes:
        keys = ("job",) if node.type == "updates" else ("component", "trial")
        found |= {(*node.keys, key): _role(node, key) for key in keys}
    environments = (keys for node in nodes for keys in environment_keys(node))
    for place in environments:
        if str(value_at(document, place)).startswith(FILE_PREFIX):
            found[place] = "environment"
    values = ((keys, value_at(document, keys), role) for keys, role in found.items())
    return tuple(
        Reference(keys, local_path(path, keys, value.removeprefix(FILE_PREFIX)), role)
        for keys, value, role in values
        if isinstance(value, str) and value and not value.startswith("azureml:")
    )


def _role(node: Node, key: str) -> str:
    if key == "job":
        return "job"
    if not node.keys:
        return "pipeline step"
    kind = str(node.value.get("type", "")).lower()
    if kind == "data_transfer":
        kind = str(node.value.get("task")).lower()
    return f"{'command' if kind == 'sweep' else kind} step"


def referred_documents(document: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """Return the paths of all files that the document at `path` refers to, without repetitions."""
    return tuple(dict.fromkeys(each.path for each in references_of(document, path)))


def environment_keys(node: Node) -> tuple[tuple[str, ...], ...]:
    """Return where the node may have an environment."""
    own = (*node.keys, "environment")
    return ((*node.keys, "task", "environment"), own) if node.type == "parallel" else (own,)


def value_at(document: Any, keys: tuple[str, ...]) -> Any:
    """Return the value at `keys`, None when there is none."""
    for key in keys:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def set_value(document: Any, keys: tuple[str, ...], value: Any) -> None:
    """Set the value at `keys`, whose mappings exist."""
    value_at(document, keys[:-1])[keys[-1]] = value


def texts_of(value: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every text in plain data, with the keys that lead to it."""
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, (Mapping, list)):
        for key, child in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from texts_of(child, (*keys, str(key)))


def step_names(keys: tuple[str, ...]) -> list[str]:
    """Return the names of the steps that the keys lead through."""
    if keys[:1] == ("jobs",):
        return [*keys[1:2], *step_names(keys[2:])]
    return step_names(keys[1:]) if keys else []
