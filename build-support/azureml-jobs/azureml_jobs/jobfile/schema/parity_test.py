"""Verdicts on files of every kind, compared with azure-ai-ml itself, in both directions."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.ai.ml import load_component, load_job
from azure.ai.ml.entities._load_functions import load_schedule
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.document import read_job_file
from azureml_jobs.jobfile.documents import references_of
from azureml_jobs.jobfile.schema.check import schema_findings
from azureml_jobs.jobfile.schema.kind import (
    component_kind,
    job_kind,
    kind_in_role,
    kind_of,
    schedule_kind,
)
from azureml_jobs.jobfile.schema.mutate import mutated
from azureml_jobs.jobfile.schema.shapes import FILES, SHAPES

_KINDS: dict[str, Any] = {"job": job_kind, "component": component_kind, "schedule": schedule_kind}
_LOADERS: dict[str, Any] = {"job": load_job, "component": load_component, "schedule": load_schedule}
# What azure-ai-ml refuses and the schema does not, by azure-ai-ml's own words.
TAKEN = {
    "Can't find |No such file|is not a directory": "other checks find files that do not exist",
    "is not supported for version": "an empty list or mapping as a version of a component",
    "only path input is supported now": "what a step's input is stands in another file",
}
# What the schema refuses and azure-ai-ml does not when it loads a file, by our words.
REFUSED = {
    "the name of an input or output": "azure-ai-ml refuses it when it sends the file",
    "this environment has (both|neither)": "azure-ai-ml refuses it when it sends the file",
    "YAML reads this key as": "a variable named `ON` would be sent as `True`",
    "the same key twice": "YAML would silently use the last one",
    "conda_file: expects .* has a list": "an empty list would be no packages at all",
    "code: expects .* and has ``": "an empty text would be no code at all",
    r"search_space.*expects .* has `\$\{\{": "no step can give a value of a search space",
}


def refusal_of_the_sdk(file: Path, family: str) -> str:
    """Return the message of azure-ai-ml, or nothing when it takes the file."""
    logging.disable(logging.CRITICAL)
    try:
        _LOADERS[family](file)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        logging.disable(logging.NOTSET)
    return ""


def our_refusals(file: Path, kind: str | None) -> list[str]:
    """Return our messages about the file and all files that it refers to."""
    try:
        document = read_job_file(file.read_text(encoding="utf-8"), file.name)
        if kind is None:
            return ["of no known kind"]
        found = schema_findings(document, file.name, kind)
    except JobError as error:
        return [str(error)]
    if found:
        return [str(finding.as_error(file.name)) for finding in found]
    return [text for text in _of_referred(document, file) if text]


def _of_referred(document: Mapping[str, Any], file: Path) -> Iterator[str]:
    for referred in references_of(document, file.name):
        inner = file.parent / referred.path
        if not inner.is_file():
            yield f"No such file: {referred.path}"
            continue
        content = yaml.safe_load(inner.read_text(encoding="utf-8"))
        kind = kind_in_role(content, referred.role)
        if kind is not None:
            yield from our_refusals(inner, kind)


def difference(file: Path, family: str, kind: str | None) -> str:
    """Return what differs without a reason, or nothing."""
    theirs, ours = refusal_of_the_sdk(file, family), our_refusals(file, kind)
    if bool(theirs) == bool(ours):
        return ""
    known, texts = (TAKEN, [theirs]) if theirs else (REFUSED, ours)
    if all(any(re.search(pattern, text) for pattern in known) for text in texts):
        return ""
    return f"azure-ai-ml: {theirs or 'takes it'}; we: {'; '.join(ours) or 'take it'}"


def family_of_shape(name: str) -> str:
    return (
        name.split(" ")[1]
        if name.startswith("a schedule")
        else (
            "component" if re.search("component( that|$)", name) and "with a" not in name else "job"
        )
    )


def write_files(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.filterwarnings("ignore")
def test_takes_every_shape_that_the_sdk_takes(name: str, tmp_path: Path) -> None:
    write_files(tmp_path)
    file = tmp_path / "file.yaml"
    file.write_text(SHAPES[name], encoding="utf-8")
    kind = kind_of(yaml.safe_load(SHAPES[name]))
    family = family_of_shape(name)
    assert kind is not None and kind.endswith(family)
    assert not refusal_of_the_sdk(file, family)
    assert not our_refusals(file, kind)


@pytest.mark.filterwarnings("ignore")
def test_refuses_what_the_sdk_refuses_in_mutated_files(tmp_path: Path) -> None:
    write_files(tmp_path)
    file = tmp_path / "file.yaml"
    documents = {name: yaml.safe_load(text) for name, text in SHAPES.items()}
    differences = []
    for name, changed, what in mutated(documents, 2):
        family = family_of_shape(name)
        file.write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
        differences.append((difference(file, family, _KINDS[family](changed)), name, what))
    assert len(differences) > 400
    assert [each for each in differences if each[0]] == []
