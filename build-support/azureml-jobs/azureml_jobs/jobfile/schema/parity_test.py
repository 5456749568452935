"""Verdicts on files of every kind, compared with azure-ai-ml itself, in both directions."""

from __future__ import annotations

import copy
import datetime
import logging
import random
import re
from collections.abc import Iterator, Mapping, Sequence
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
from azureml_jobs.jobfile.schema.node import SchemaNode
from azureml_jobs.jobfile.schema.tested_shapes import FILES, SHAPES

_KINDS: dict[str, Any] = {"job": job_kind, "component": component_kind, "schedule": schedule_kind}
_LOADERS: dict[str, Any] = {"job": load_job, "component": load_component, "schedule": load_schedule}
# What azure-ai-ml refuses and the schema does not, by azure-ai-ml's own words.
TAKEN = {
    "Can't find |No such file|is not a directory": "other checks find files that do not exist",
    "is not supported for version": "an empty list or mapping as a version of a component",
    "only path input is supported now": "what a step's input is stands in another file",
    "no attribute 'early_termination'": "it cannot send the sweep of a step that is about texts",
    "not in set .'managed'": "a parallel step takes any `identity:`, and sends only a valid one",
}
# What the schema refuses and azure-ai-ml does not when it loads a file, by our words.
REFUSED = {
    "the name of an input or output": "azure-ai-ml refuses it when it sends the file",
    "this environment has (both|neither)": "azure-ai-ml refuses it when it sends the file",
    "YAML reads this key as": "a variable named `ON` would be sent as `True`",
    "conda_file: expects .* has a list": "an empty list would be no packages at all",
    "code: expects .* and has ``": "an empty text would be no code at all",
    r"search_space.*expects .* has `\$\{\{": "no step can give a value of a search space",
}
_ODD_VALUES: tuple[Any, ...] = (
    *(None, "", " ", 0, 1, -1, 5, 2.5, 1e-3, 10**20, float("inf"), float("nan"), True, False),
    *("5", "2.5", "1e-3", " 5 ", "0o17", "true", "Yes", "on", "null", "None", "text", "Ärger"),
    *("azureml:", "azureml:a", "azureml:a:1", "azureml:a@latest", "azureml:a/b:1", "azureml://a"),
    *("azureml://registries/r/components/c/versions/1", "git+https://a", "https://a.b/c", "file:x"),
    *("azureml://datastores/d/paths/p", "${{parent.inputs.x}}", "${{parent.outputs.y}}"),
    *("a-b", "A b", "uri_file", "integer", "command", "pipeline", "2026-01-31", "1.5.2"),
    *(datetime.date(2026, 1, 31), datetime.datetime(2026, 1, 31, 10)),
    *([], {}, [None], ["a"], [1], {"a": 1}, {"a": None}, {"value": 5}, {"type": "uri_file"}),
)
_ODD_KEYS: tuple[Any, ...] = ("", "banana", "a-b", "A", "type", "value", "path", 5, True, None)
# What holds a value, its key there, and that key below the one above: 0 is any element of a list.
Place = tuple[Any, Any, tuple[Any, Any]]


def refusal_of_the_sdk(file: Path, family: str, sends: bool = False) -> str:
    """Return the message of azure-ai-ml, or nothing when it takes the file.

    sends: whether it also makes of it what it sends.
    """
    logging.disable(logging.CRITICAL)
    try:
        loaded = _LOADERS[family](file)
        if sends:
            loaded._to_rest_object()
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


def difference(file: Path, family: str, kind: str | None, sends: bool = False) -> str:
    """Return what differs without a reason, or nothing."""
    theirs, ours = refusal_of_the_sdk(file, family, sends), our_refusals(file, kind)
    if bool(theirs) == bool(ours):
        return ""
    known, texts = (TAKEN, [theirs]) if theirs else (REFUSED, ours)
    if all(any(re.search(pattern, text) for pattern in known) for text in texts):
        return ""
    return f"azure-ai-ml: {theirs or 'takes it'}; we: {'; '.join(ours) or 'take it'}"


def family_of_shape(name: str) -> str:
    return next(word for word in name.split() if word in _LOADERS)


def write_files(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def mutated(documents: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield changed copies of the documents: the name, the copy, and what was changed.

    One thing is changed in each, as people do by mistake: every key, once below each key that it
    stands below.
    """
    donors = list(documents.values())
    seen = set()
    for name, document in documents.items():
        for number, (_, _, path) in enumerate(_places(document)):
            if path not in seen:
                seen.add(path)
                chance = random.Random(f"2 {name} {number}")
                changed = copy.deepcopy(document)
                holder, key, _ = list(_places(changed))[number]
                yield name, changed, _change(holder, key, donors, chance)


def _places(value: Any, above: Any = None) -> Iterator[Place]:
    is_mapping = isinstance(value, dict)
    for key, child in value.items() if is_mapping else enumerate(value):
        this = key if is_mapping else 0
        yield value, key, (above, this)
        if isinstance(child, (dict, list)):
            yield from _places(child, this)


def _change(holder: Any, key: Any, donors: Sequence[Any], chance: random.Random) -> str:
    old = holder.get(key) if isinstance(holder, dict) else holder[key]
    kind = chance.choice(("odd", "odd", "drop", "rename", "case", "text", "swap", "add", "wrap"))
    if kind == "drop":
        del holder[key]
        return f"{key} dropped"
    if kind == "rename" and isinstance(holder, dict):
        letters = str(key)
        options = (letters[:-1], letters + "s", letters.upper(), chance.choice(_ODD_KEYS))
        new = chance.choice(options)
        holder[new] = holder.pop(key)
        return f"{key} renamed={new!r}"
    if kind == "add" and isinstance(old, dict):
        other = chance.choice(list(_places(chance.choice(donors))))
        old[other[1]] = copy.deepcopy(other[0][other[1]])
        return f"{key}.{other[1]} added={old[other[1]]!r}"
    if kind == "swap":
        other = chance.choice(list(_places(chance.choice(donors))))
        holder[key] = copy.deepcopy(other[0][other[1]])
    elif kind == "case" and isinstance(old, str):
        holder[key] = chance.choice((old.upper(), old.title(), old.replace("_", "")))
    elif kind == "text" and not isinstance(old, (dict, list)):
        holder[key] = str(old)
    elif kind == "wrap":
        holder[key] = chance.choice(([old], {"a": old}, {"value": old}, [old, old]))
    else:
        holder[key] = copy.deepcopy(chance.choice(_ODD_VALUES))
    return f"{key} {kind}={holder[key]!r}"


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
    for name, changed, what in mutated(documents):
        family = family_of_shape(name)
        file.write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
        differences.append((difference(file, family, _KINDS[family](changed)), name, what))
    assert len(differences) > 400
    assert [each for each in differences if each[0]] == []


def _steps() -> Iterator[tuple[str, tuple[dict[str, Any], dict[str, Any]]]]:
    """Yield one step of each kind, by its name, with the pipeline that it is in."""
    for document in map(yaml.safe_load, SHAPES.values()):
        steps = document.get("jobs", {}) if document.get("type") == "pipeline" else {}
        for step in steps.values():
            task = step.get("task", "own") if "component" not in step else "component"
            name = task if isinstance(task, str) else "own"
            yield f"{step.get('type', 'command')}, {name}", (document, step)


STEPS = dict(_steps())
# What stands in other documents, or is bound in `SHAPES`.
_NOT_BOUND = ("component", "environment", "inputs", "outputs", "trial")


def bound(
    node: SchemaNode, value: Mapping[str, Any], above: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield copies of the value with `${{…}}` at one key, for each key that the schema names."""
    fitting = node.for_value(value)
    for key in fitting.keys():
        if key not in _NOT_BOUND and (child := fitting.child(key)) is not None:
            yield f"{above}{key}", {**value, key: "${{parent.inputs.x}}"}
            inner = value.get(key)
            holder = inner if isinstance(inner, dict) else {}
            for place, changed in bound(child, holder, f"{above}{key}."):
                yield place, {**value, key: changed}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.filterwarnings("ignore")
def test_binds_what_the_sdk_binds_of_a_step_and_sends(name: str, tmp_path: Path) -> None:
    write_files(tmp_path)
    file = tmp_path / "file.yaml"
    document, step = STEPS[name]
    inputs = {**document.get("inputs", {}), "x": 5}
    pipeline = {"type": "pipeline", "compute": "azureml:c", "inputs": inputs}

    def write(*steps: Any) -> None:
        jobs = {f"step_{number}": each for number, each in enumerate(steps)}
        file.write_text(yaml.safe_dump({**pipeline, "jobs": jobs}), encoding="utf-8")

    jobs = SchemaNode.root("pipeline job").child("jobs")
    node = jobs.child("step_0") if jobs else None
    assert node is not None
    taken: dict[str, Any] = {}
    refused: dict[str, Any] = {}
    for place, changed in bound(node, step):
        write(changed)
        (refused if our_refusals(file, "pipeline job") else taken)[place] = changed
    # All at once, because each load takes as long as all checks here.
    write(*taken.values())
    doubtful = taken if refusal_of_the_sdk(file, "job", sends=True) else {}
    write(*refused.values())
    theirs = set(re.findall(r"step_\d+", refusal_of_the_sdk(file, "job")))
    for number, (place, changed) in enumerate(refused.items()):
        if f"step_{number}" not in theirs:
            doubtful = {**doubtful, place: changed}
    differences = []
    for place, changed in doubtful.items():
        write(changed)
        differences.append((place, difference(file, "job", "pipeline job", sends=True)))
    assert [each for each in differences if each[1]] == []
