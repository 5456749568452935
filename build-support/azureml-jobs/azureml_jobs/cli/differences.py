"""What is different between two jobs, part by part, as plain data."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from azureml_jobs.bundle.manifest_file import units_of
from azureml_jobs.cli.job_tree import parameters_of
from azureml_jobs.protocol import REQUIREMENTS_FILE

PARTS = (
    *("code", "packages", "image", "command", "inputs", "data", "settings"),
    *("parameters", "metrics", "tools"),
)
# These have parts of their own: of the job, and of each step and trial.
_NOT_OF_THE_JOB = frozenset({"inputs", "name"})
_NOT_OF_UNITS = frozenset({"command", "environment"})
_BINARY = "binary files differ"


@dataclass(frozen=True)
class ComparedJob:
    """A job as `jobs show` describes it, and its record.

    `manifest` is None for a job without a record, and `problem` says why; `code` is the folder of
    its code, if it is here.
    `steps` are the jobs below a pipeline by their labels, each with what it logged.
    """

    job: Mapping[str, Any]
    manifest: Mapping[str, Any] | None = None
    code: Path | None = None
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Change:
    """What one name of a part is in both jobs, None where it is not; `diff` is that of a file."""

    name: str
    a: Any
    b: Any
    diff: str = ""


def differences(a: ComparedJob, b: ComparedJob) -> dict[str, list[Change]]:
    """Return the changes of each part; a part that only one of the jobs has a record of is missing.

    A part in which nothing differs is an empty list.
    """
    has_records = bool(a.manifest and b.manifest)
    of_a, of_b = _parts(a, has_records), _parts(b, has_records)
    found: dict[str, list[Change]] = {}
    for part in PARTS:
        if part in of_a and part in of_b:
            names = dict.fromkeys((*of_a[part], *of_b[part]))
            each_of = (Change(name, of_a[part].get(name), of_b[part].get(name)) for name in names)
            found[part] = [_without_secrets(each) for each in each_of if each.a != each.b]
    if a.code and b.code and "code" in found:
        found["code"] = [
            replace(each, diff=_file_diff(a.code / each.name, b.code / each.name))
            for each in found["code"]
        ]
    return found


def _without_secrets(change: Change) -> Change:
    """Return the change without values of environment variables, which may be secrets."""
    if "environment_variables" not in change.name.split("."):
        return change
    a, b = (None if value is None else "hidden" for value in (change.a, change.b))
    return replace(change, a=a, b=b)


def _parts(side: ComparedJob, has_records: bool) -> dict[str, dict[str, Any]]:
    job = side.job
    parameters, metrics = parameters_of(job), dict(job["metrics"])
    for label, step in side.steps.items():
        parameters |= {f"{label}: {name}": value for name, value in parameters_of(step).items()}
        metrics |= {f"{label}: {name}": value for name, value in step["metrics"].items()}
    recorded = _recorded(side.manifest) if has_records and side.manifest else {}
    # Local data is compared by its contents: where it is depends on where the job ran.
    by_contents = recorded.get("data", {})
    inputs = {
        name: _input(given) for name, given in job["inputs"].items() if name not in by_contents
    }
    return {**recorded, "inputs": inputs, "parameters": parameters, "metrics": metrics}


def _recorded(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for unit in units_of(manifest):
        name = unit["name"]
        prefix = f"{name}: " if name else ""
        environment = unit["environment"] or {}
        found["code"] |= {
            f"{name}/{each['path']}".lstrip("/"): each["sha256"]
            for each in unit["snapshot"]["files"]
        }
        versions = unit["packages"]["versions"]
        found["packages"] |= {f"{prefix}{package}": text for package, text in versions.items()}
        found["image"] |= {
            f"{prefix}environment": environment.get("reference"),
            f"{prefix}image": " ".join((unit["image"] or {}).values()) or None,
            **{
                f"{prefix}{each['path']}": each["sha256"][:12]
                for each in environment.get("files", ())
                if each["path"] != REQUIREMENTS_FILE
            },
        }
        found["command"][f"{prefix}command"] = unit["command"]
    # The others are what the inputs name.
    found["data"] = {
        each["input"]: each["sha256"][:12] for each in manifest["data"] if each.get("sha256")
    }
    found["settings"] = dict(_settings(manifest["documents"], manifest["job_file"]))
    made = manifest["made"] or {}
    found["tools"] = {**manifest["versions"], "system": made.get("system")}
    return found


def _settings(documents: Sequence[Mapping[str, Any]], job_file: str) -> Iterator[tuple[str, Any]]:
    """Yield the values in the job file and what it refers to, by the path of their keys."""
    for document in documents:
        start = "" if document["path"] == job_file else f"{document['path']}: "
        for keys, value in _values(document["content"], ()):
            is_apart = keys[0] in _NOT_OF_THE_JOB or not _NOT_OF_UNITS.isdisjoint(keys)
            if not is_apart or "inputs" in keys[1:]:
                yield start + ".".join(keys), value


def _values(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _values(each, (*keys, str(key)))
    else:
        yield keys, value


def _input(given: Any) -> Any:
    """Return the value of an input; Azure ML and the local workspace describe it differently."""
    if not isinstance(given, Mapping):
        return given
    found = [given[key] for key in ("asset", "uri", "value") if given.get(key) is not None]
    return found[0] if found else None


def _file_diff(*files: Path) -> str:
    """Return how a file of the code differs, as a unified diff without a header."""
    try:
        texts = [file.read_text(encoding="utf-8") if file.is_file() else "" for file in files]
    except UnicodeDecodeError:
        return _BINARY
    old, new = (text.splitlines() for text in texts)
    return "\n".join([*difflib.unified_diff(old, new, lineterm="")][2:])


def change_text(part: str, change: Change) -> str:
    """Return a change in a few words: `epochs 3 → 5`, `+ scipy 1.16`, `- old.py`."""
    sign = "+ " if change.a is None else "- " if change.b is None else ""
    if part == "code":
        return sign + change.name
    a, b = value_pair(change)
    if sign:
        return f"{sign}{change.name} {_short(b if change.a is None else a)}"
    return f"{change.name} {_short(a)} → {_short(b)}"


def value_pair(change: Change) -> tuple[str, str]:
    """Return both values as text that differs; nothing for None."""
    short = tuple(_text(value, ".6g") for value in (change.a, change.b))
    return (short[0], short[1]) if short[0] != short[1] else (_text(change.a), _text(change.b))


def _text(value: Any, digits: str = "") -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return format(value, digits)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: str) -> str:
    first = " ".join(text.split())
    return first if len(first) <= 40 else f"{first[:39]}…"
