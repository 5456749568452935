"""Change values of a job file from the command line: `--set key.path=value`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from azureml_jobs.base.nearest import suggestion
from azureml_jobs.jobfile.documents import texts_of
from azureml_jobs.jobfile.findings import raise_findings
from azureml_jobs.jobfile.schema.kind import known_kind_of
from azureml_jobs.jobfile.schema.messages import unknown_key
from azureml_jobs.jobfile.schema.node import SchemaNode
from azureml_jobs.jobfile.setting import INTEGER, RefusedSetting, Setting


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
            _Override(changed, Setting.parse(text), path).apply()
        except RefusedSetting as refused:
            findings.append(refused.finding)
    raise_findings(path, findings)
    return changed


def _copy(value: Any) -> Any:
    """Copy plain data; what a YAML alias made one object becomes two, so that one can change."""
    if isinstance(value, Mapping):
        return {key: _copy(child) for key, child in value.items()}
    return [_copy(child) for child in value] if isinstance(value, list) else value


class _Override:
    """One setting on its way down the job."""

    def __init__(self, job: dict[str, Any], setting: Setting, path: str) -> None:
        self.job = job
        self.setting = setting
        self.root = SchemaNode.root(known_kind_of(job, path))

    def apply(self) -> None:
        holder, node, setting = self.job, self.root, self.setting
        for depth in range(1, len(setting.steps) + 1):
            steps = setting.steps[:depth]
            find = self._item if isinstance(holder, list) else self._key
            key, node = find(holder, node.for_value(holder), steps)
            is_new = key == len(holder) if isinstance(holder, list) else key not in holder
            if steps == setting.steps:
                new = setting.converted(node, None if is_new else holder[key])
            elif is_new:
                new = [] if node.takes_list and not node.takes_mapping else {}
            else:
                # `outputs: {model:}` declares an output by its name alone.
                new = {} if holder[key] is None else holder[key]
                self._check_holder(new, steps)
            if isinstance(holder, list) and is_new:
                holder.append(new)
            else:
                holder[key] = new
            holder = new

    def _item(self, holder: list[Any], node: SchemaNode, steps: Sequence[str]) -> Any:
        """Return an index of a list and the schema's node there, or refuse an invalid one."""
        *parents, step = steps
        if not INTEGER.fullmatch(step) or not 0 <= int(step) <= len(holder):
            raise self.setting.refuse(
                f"this is a list of {len(holder)}, and `{step}` is not an index in it",
                f"Write a number from 0 to {len(holder)}.",
                parents,
            )
        return int(step), node.item() or node

    def _key(self, holder: Mapping[str, Any], node: SchemaNode, steps: Sequence[str]) -> Any:
        """Return a key and the schema's node there, or refuse one that cannot be set."""
        *parents, step = steps
        known, refuse = node.child(step), self.setting.refuse
        inputs = self.job.get("inputs") or ()
        if known is not None and known.is_read_only:
            raise refuse(f"Azure ML sets `{step}` itself", "Leave this setting out.", steps)
        if known is None and "any" not in node.kinds:
            if not parents and step in inputs:
                remedy = f"Write `--set inputs.{self.setting.text}`."
                raise refuse(f"`{step}` is an input of the job, not a key", remedy, steps)
            finding = unknown_key(self.root, parents, step, node.keys())
            raise refuse(finding.what, finding.remedy, steps)
        if parents == ["inputs"] and step not in holder:
            named = re.compile(rf"\binputs\.{re.escape(step)}\b")
            if not any(named.search(text) for _, text in texts_of(self.job)):
                user = "its command does" if "command" in self.job else "its steps do"
                what = f"the job has no input `{step}`, and {user} not name it"
                remedy = suggestion(step, list(map(str, inputs)), "It has no inputs.")
                raise refuse(what, remedy, steps)
        return step, known or node

    def _check_holder(self, holder: Any, steps: Sequence[str]) -> None:
        if not isinstance(holder, (dict, list)):
            key_path = ".".join(steps)
            raise self.setting.refuse(
                f"`{key_path}` is `{holder}`, which has no keys",
                f"Replace it as a whole: `--set {key_path}=VALUE`.",
                steps,
            )
