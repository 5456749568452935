"""Find the commands of a job, each with its code and its environment."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.command.code import Code, CommandCode
from azureml_jobs.jobfile.documents import (
    CODE_TYPES,
    Documents,
    Node,
    Reference,
    environment_keys,
    nodes_of,
    references_of,
    step_names,
    value_at,
)
from azureml_jobs.jobfile.paths import is_local, local_path, unique_name
from azureml_jobs.jobfile.unit_code import code_key, code_keys, code_of, starts_of, starts_where


@dataclass(frozen=True)
class UnitEnvironment:
    """An environment that the document has at `keys`, or names there by a file of its own.

    `build_context` and `conda_file` are relative to the repository's root.
    """

    keys: tuple[str, ...]
    value: Mapping[str, Any]
    build_context: str | None
    conda_file: str | None

    @property
    def globs(self) -> tuple[str, ...]:
        """Globs of the files that make up the environment, without BUILD files."""
        if self.build_context is not None:
            context = self.build_context
            return (f"{context}/**", f"!{context}/**/BUILD", f"!{context}/**/BUILD.*")
        return (self.conda_file,) if self.conda_file is not None else ()


@dataclass(frozen=True)
class CodeUnit:
    """One command (a job, a step, a trial, a component) with its code and its environment.

    name: unique, and safe as the name of a folder; "" for a file that is itself the one command.
    document: the path of the YAML file that has it.
    keys, code_key: where the mapping stands in there that has its `code`, and that key; there is
        none for a prompt flow, which is in its code itself.
    where: the key that says what is started, for messages.
    has_code: False for a step that only changes the environment of the component that it names;
        `code` and `starts` are those of the component.
    """

    name: str
    document: str
    keys: tuple[str, ...]
    code: Code
    starts: CommandCode
    environment: UnitEnvironment | None
    where: str
    code_key: str = "code"
    has_code: bool = True

    @property
    def build_context(self) -> str | None:
        return self.environment.build_context if self.environment else None


def code_units(documents: Documents, job_file: str) -> tuple[CodeUnit, ...]:
    """Return the units of the job file and of the documents that it refers to, in order.

    `documents` has each of them by its path. Raises `JobError` for one that is missing, and for
    what cannot be read in one.
    """
    units: list[CodeUnit] = []
    taken: set[str] = set()
    for path in ordered_documents(documents, job_file):
        for unit in _units_of(documents, path):
            units.append(replace(unit, name=_name(unit, job_file, taken)))
    return tuple(units)


def ordered_documents(
    documents: Documents, path: str, above: tuple[str, ...] = ()
) -> dict[str, None]:
    """Return the document and those that it refers to, environments aside."""
    found: dict[str, None] = {path: None}
    for reference in references_of(documents[path], path):
        where = f"{path}: {'.'.join(reference.keys)}"
        if reference.path not in documents:
            remedy = f"Write a path relative to the folder of {path}."
            raise JobError(where, f"there is no file {reference.path}", remedy)
        if reference.path in (path, *above):
            raise JobError(where, f"{reference.path} refers to itself", "Name another file.")
        if not reference.is_environment:
            found.update(ordered_documents(documents, reference.path, (path, *above)))
    return found


def _units_of(documents: Documents, path: str) -> Iterator[CodeUnit]:
    references = {each.keys: each for each in references_of(documents[path], path)}
    for node in nodes_of(documents[path]):
        environment = _environment(documents, path, node, references)
        owner, named, has_code = path, node, "component" not in node.value
        if not has_code or node.type not in CODE_TYPES:
            if environment is None or not environment.globs:
                continue
            has_code = False
            owner, named = _component(documents, path, node, references)
        if named.type in CODE_TYPES:
            yield CodeUnit(
                name="",
                document=path,
                keys=code_keys(node) if has_code else node.keys,
                code=code_of(owner, named),
                starts=starts_of(owner, named),
                environment=environment,
                where=starts_where(owner, named),
                code_key=code_key(node) if has_code else "code",
                has_code=has_code,
            )


def _component(
    documents: Documents, path: str, node: Node, references: Mapping[tuple[str, ...], Reference]
) -> tuple[str, Node]:
    """Return the node whose code the node runs, and the document that has it."""
    for key in ("component", "job"):
        reference = references.get((*node.keys, key))
        if reference is not None:
            return reference.path, nodes_of(documents[reference.path])[0]
        if isinstance(node.value.get(key), Mapping):
            nodes = nodes_of(documents[path])
            return path, next(each for each in nodes if each.keys == (*node.keys, key))
    return path, replace(node, type="")


def _environment(
    documents: Documents, path: str, node: Node, references: Mapping[tuple[str, ...], Reference]
) -> UnitEnvironment | None:
    for keys in environment_keys(node):
        value = value_at(documents[path], keys)
        base, inner = path, keys
        if keys in references:
            base, inner = references[keys].path, ()
            value = documents[base]
        if isinstance(value, Mapping):
            return UnitEnvironment(
                keys,
                value,
                _file(base, (*inner, "build", "path"), value_at(value, ("build", "path"))),
                _file(base, (*inner, "conda_file"), value.get("conda_file")),
            )
    return None


def _file(document: str, keys: tuple[str, ...], value: Any) -> str | None:
    """Return the local path that an environment names; None for an address or a mapping."""
    if not isinstance(value, str) or not is_local(value):
        return None
    found = local_path(document, keys, value)
    if not found:
        what = f"{value!r} is not below the repository's root"
        remedy = "Name a folder that has only what the image needs."
        raise JobError(f"{document}: {'.'.join(keys)}", what, remedy)
    return found


def _name(unit: CodeUnit, job_file: str, taken: set[str]) -> str:
    """Return a name by the unit's place: `train` for `jobs.train`, or for `train.yaml` itself."""
    is_root = unit.document == job_file
    if is_root and unit.keys in ((), ("task",)):
        return ""
    names = [] if is_root else [posixpath.basename(unit.document).rpartition(".")[0]]
    names += step_names(unit.keys)
    wanted = "-".join(names) or unit.keys[0]
    return unique_name(re.sub(r"[^A-Za-z0-9_.-]", "_", wanted), taken)
