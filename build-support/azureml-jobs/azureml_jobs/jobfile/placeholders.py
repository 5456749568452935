"""Find values that a template leaves to the user: `compute: azureml:<your-cluster>`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azureml_jobs.jobfile.documents import texts_of
from azureml_jobs.jobfile.findings import Finding

# A letter right after `<`, and no blank right before `>`, unlike in `a < b > c`.
_PLACEHOLDER = re.compile(r"(?<![\w$<])<[A-Za-z](?:[\w .:/-]*\w)?>")
# In the user's own text, `<pad>` and `<b>` are ordinary, and `<your-name>` is not.
_ADDRESSES_READER = re.compile(
    r"<(?:.*[ -].*|your.*|change_?me|replace_?me|todo|fill_?me_?in)>", re.I
)

# Bash reads `<in.txt` as a redirection, and a description may say anything.
_NEVER = re.compile(r"command|(?:.*\.)?description")
# Keys whose value may be any text, not the name of something in Azure ML.
_FREE_TEXT = re.compile(
    r"(?:display_name|tags\..*|properties\..*|environment_variables\..*|inputs\.[^.]+"
    r"|inputs\.[^.]+\.(?:value|default)|environment\.tags\..*|environment\.conda_file.*"
    r"|resources\.properties\..*|services\.[^.]+\.properties\..*|resources\.docker_args.*)"
)
# What leads to a job, a component or a trial within a document.
_NODE = re.compile(r"(?:jobs\.[^.]+\.|component\.|trial\.|create_job\.|task\.)*")
_EXAMPLES = {
    "compute": "azureml:my-cluster",
    "environment": "azureml:my-environment:1",
    "experiment_name": "my-experiment",
    "environment.image": "python:3.11-slim",
    "resources.instance_type": "Standard_DS3_v2",
}


def placeholder_findings(job: Mapping[str, Any]) -> list[Finding]:
    """Return every value that still has a placeholder such as `<cluster-name>`.

    A placeholder is `<`, a letter, more letters, digits, blanks, or any of `_ . : / -`, and `>`.
    Values that name something (compute, environment, paths, names) must not have any. In free text
    (literal inputs, tags, properties, environment variables, the display name), one counts only
    when it addresses the reader: with a blank or a hyphen, or `<your…>`, `<changeme>`, `<todo>`;
    so `<pad>` and `<b>` pass. The command and descriptions are not checked: `<in.txt` is a
    redirection there.
    """
    findings = []
    for keys, text in texts_of(job):
        key_path = ".".join(keys)
        key = _NODE.sub("", key_path, count=1)
        found = [] if _NEVER.fullmatch(key) else _PLACEHOLDER.findall(text)
        if _FREE_TEXT.fullmatch(key):
            found = list(filter(_ADDRESSES_READER.fullmatch, found))
        if found:
            findings.append(_finding(key_path, key, found[0]))
    return findings


def _finding(key_path: str, key: str, placeholder: str) -> Finding:
    remedy = f"Write your own value for `{placeholder}`"
    if key in _EXAMPLES:
        remedy += f", for example `{key.rpartition('.')[2]}: {_EXAMPLES[key]}`"
    return Finding(
        key_path,
        f"the placeholder `{placeholder}` is not replaced yet",
        f"{remedy}, in the file or by `--set {key_path}=…`.",
    )
