"""Change values of a job file from the command line: `--set key.path=value`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.findings import raise_findings
from azureml_jobs.jobfile.schema.load import known_kind_of
from azureml_jobs.jobfile.schema.messages import unknown_key
from azureml_jobs.jobfile.schema.node import SchemaNode
from azureml_jobs.jobfile.setting import INTEGER, RefusedSetting, Setting
from azureml_jobs.jobfile.setting_value import convert_value


def apply_overrides(job: Mapping[str, Any], settings: Sequence[str], path: str) -> dict[str, Any]:
    """Return `job` with every setting `key.path=value` applied in order; `job` stays as it is.

    This is what `az ml job create --set` does (azure-ai-ml's `params_override`): keys are joined by
    dots, `\\.` is a dot within a key, `[0]` or `.0` an index in a list, missing levels are made.
    There every value stays text that azure-ai-ml converts later or not at all; here it becomes what
    the schema says, and for a literal input what the value was that it replaces. Mappings and lists
    are written as YAML: `--set 'tags={a: b}'`.

    Refused, though `az` would take it: a literal in place of an input of data, a value that is not
    of the type of the literal that it replaces, and an input that the job file does not declare,
    unless the command or a step names it.

    Raises one `JobError` for all settings that are wrong.
    """
    changed: dict[str, Any] = _copy(job)
    findings = []
    for text in settings:
        try:
            _apply(changed, Setting.parse(text), path)
        except RefusedSetting as refused:
            findings.append(refused.finding)
    raise_findings(path, findings)
    return changed


def _copy(value: Any) -> Any:
    """Copy plain data; what a YAML alias made one object becomes two, so that one can change."""
    if isinstance(value, Mapping):
        return {key: _copy(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_copy(child) for child in value]
    return value


def _apply(job: dict[str, Any], setting: Setting, path: str) -> None:
    holder: Any = job
    root = node = SchemaNode.root(known_kind_of(job, path))
    for depth, step in enumerate(setting.steps, start=1):
        steps = setting.steps[:depth]
        node = node.for_value(holder)
        if isinstance(holder, list):
            node = _item_node(setting, holder, node, steps)
        else:
            node = _key_node(job, setting, root, holder, node, steps)
        if steps == setting.steps:
            old = holder[_key(holder, step)] if _has(holder, step) else None
            _store(holder, step, convert_value(setting, node, old))
        else:
            holder = _inner_holder(setting, holder, node, steps)


def _item_node(
    setting: Setting, holder: list[Any], node: SchemaNode, steps: Sequence[str]
) -> SchemaNode:
    """Return the schema's node of an item in a list, or refuse an invalid index."""
    *parents, step = steps
    if not INTEGER.fullmatch(step) or not 0 <= int(step) <= len(holder):
        raise setting.refuse(
            f"this is a list of {len(holder)}, and `{step}` is not an index in it",
            f"Write a number from 0 to {len(holder)}.",
            parents,
        )
    return node.item() or node


def _key_node(
    job: Mapping[str, Any],
    setting: Setting,
    root: SchemaNode,
    holder: Mapping[str, Any],
    node: SchemaNode,
    steps: Sequence[str],
) -> SchemaNode:
    """Return the schema's node of a key in a mapping, or refuse a key that cannot be set."""
    *parents, step = steps
    known = node.child(step)
    if known is not None and known.is_read_only:
        raise setting.refuse(f"Azure ML sets `{step}` itself", "Leave this setting out.", steps)
    if known is None:
        if "any" in node.kinds:
            return node
        if not parents and step in (job.get("inputs") or ()):
            remedy = f"Write `--set inputs.{setting.text}`."
            raise setting.refuse(f"`{step}` is an input of the job, not a key", remedy, steps)
        finding = unknown_key(root, parents, step, node.keys())
        raise setting.refuse(finding.what, finding.remedy, steps)
    if parents == ["inputs"] and step not in holder:
        _check_new_input(job, setting, steps)
    return known


def _check_new_input(job: Mapping[str, Any], setting: Setting, steps: Sequence[str]) -> None:
    name = steps[-1]
    if any(re.search(rf"\binputs\.{re.escape(name)}\b", text) for text in _texts(job)):
        return
    user = "its command does" if "command" in job else "its steps do"
    raise setting.refuse(
        f"the job has no input `{name}`, and {user} not name it",
        suggestion(name, [str(key) for key in job.get("inputs") or ()], "It has no inputs."),
        steps,
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _texts(child)


def _inner_holder(setting: Setting, holder: Any, node: SchemaNode, steps: Sequence[str]) -> Any:
    """Return the mapping or list at `steps`, which is made when there is none yet."""
    step = steps[-1]
    if not _has(holder, step):
        _store(holder, step, [] if node.takes_list and not node.takes_mapping else {})
    inner = holder[_key(holder, step)]
    if inner is None:
        # `outputs: {model:}` declares an output by its name alone.
        inner = {}
        _store(holder, step, inner)
    if not isinstance(inner, (dict, list)):
        key_path = ".".join(steps)
        raise setting.refuse(
            f"`{key_path}` is `{inner}`, which has no keys",
            f"Replace it as a whole: `--set {key_path}=VALUE`.",
            steps,
        )
    return inner


def _has(holder: dict[str, Any] | list[Any], step: str) -> bool:
    return int(step) < len(holder) if isinstance(holder, list) else step in holder


def _key(holder: dict[str, Any] | list[Any], step: str) -> Any:
    return int(step) if isinstance(holder, list) else step


def _store(holder: Any, step: str, value: Any) -> None:
    if isinstance(holder, list) and int(step) == len(holder):
        holder.append(value)
    else:
        holder[_key(holder, step)] = value
