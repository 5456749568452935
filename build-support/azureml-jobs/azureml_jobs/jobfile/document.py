"""Read job files into plain data, and write plain data as job files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.yaml_remedy import without_secrets, yaml_remedy

# PyYAML folds longer lines, and a folded command is hard to compare with its source.
_NEVER_FOLD = 2**31
_ODD_LINE_ENDS = re.compile("[\r\x85\u2028\u2029]")
# A second's work for PyYAML, and many times what people write.
MOST_BYTES = 1024 * 1024
# Aliases may repeat a value in every other.
_MOST_VALUES = 50_000
_DEEPEST = 100
_LONGEST_NUMBER = 400
_INTEGER_TAG = "tag:yaml.org,2002:int"
_MERGE_TAG = "tag:yaml.org,2002:merge"


def read_job_file(text: str, path: str) -> dict[str, Any]:
    """Return the job file as plain data, its keys in the order of the file.

    The values are what azure-ai-ml reads, which loads job files with PyYAML's safe loader
    (`azure.ai.ml._utils.utils.load_yaml`): YAML 1.1, so `yes` and `on` are booleans, `010` is 8,
    `2024-01-31` is a date, and `1e-3` is a string (a number needs the point: `1.0e-3`).

    Of a key that is there twice, PyYAML uses the last (`repeated_keys`). Raises `JobError` when the
    text is not YAML, is empty, has more than one document, contains itself, is not a mapping, or is
    larger than a job can be.
    """
    if len(text) > MOST_BYTES:
        raise _too_large(path, f"it has {len(text) / 1e6:.0f} MB")
    try:
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        if node is not None:
            _check_size(node, path)
        job = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        what = without_secrets(f"not valid YAML: {_problem(error)}", text, error)
        remedy = without_secrets(yaml_remedy(text, error), text, error)
        raise JobError(_location(path, error), what, remedy) from None
    except yaml.YAMLError as error:
        raise JobError(path, f"not valid YAML: {_one_line(error)}") from None
    except ValueError as error:
        # PyYAML takes `2024-02-31` for a date and `0x_` for a number before it finds they are none.
        what = f"not valid YAML: a value looks like a date or a number, but is not: {error}"
        raise JobError(path, what, "Quote it if it is meant as text.") from None
    except RecursionError:
        raise _too_large(path, "it is nested too deeply") from None
    if isinstance(job, dict):
        return job
    what = "the job file is empty" if job is None else f"not a job file: it is {_kind(job)}"
    raise JobError(path, what, f"It needs at least:\n\n{_SMALLEST_JOB}")


def repeated_keys(text: str) -> Finding | None:
    """Return which keys a readable job file has twice, with their lines; None if there are none."""
    loader = yaml.CSafeLoader(text)
    root = loader.get_single_node()
    repeated = [] if root is None else list(_repeated_keys(loader, root, "", set()))
    what = f"the same key twice: {'; '.join(repeated)}"
    remedy = "YAML silently uses the last one. Keep one of them."
    return Finding("", what, remedy) if repeated else None


def _repeated_keys(
    loader: yaml.CSafeLoader, node: yaml.Node, where: str, seen: set[int]
) -> Iterator[str]:
    """Yield the keys below `where` with their lines, each node once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated_keys(loader, item, f"{where}.{index}", seen)
    lines: dict[Any, int] = {}
    for key_node, value_node in node.value if isinstance(node, yaml.MappingNode) else ():
        path = where
        if isinstance(key_node, yaml.ScalarNode) and key_node.tag != _MERGE_TAG:
            key, line = loader.construct_object(key_node, deep=True), _line(key_node)
            path = f"{where}.{key_node.value}" if where else key_node.value
            if key in lines:
                yield f"`{path}` is in line {lines[key]} and again in line {line}"
            lines.setdefault(key, line)
        yield from _repeated_keys(loader, value_node, path, seen)


def dump_job_file(job: Mapping[str, Any]) -> str:
    """Return the job as YAML, keys in the order of `job`, commands of many lines as a block.

    The same job gives the same text, and `read_job_file` of that text gives the job.
    """
    text: str = yaml.dump(
        dict(job), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_NEVER_FOLD
    )
    return text


_SMALLEST_JOB = """\
command: python main.py
environment: azureml:my-environment:1"""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        # Anchors such as `&id001` mean nothing to a reader, and a job file never contains itself.
        return True


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    if _ODD_LINE_ENDS.search(value):
        # PyYAML would write these unchanged, and read them back as line feeds or blanks.
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _represent_text)


def _check_size(root: yaml.Node, path: str) -> None:
    """Raise `JobError` for a document that is endless, huge or deep once its aliases are values."""
    sizes: dict[int, tuple[int, int]] = {}
    open_nodes: set[int] = set()

    def visit(node: yaml.Node) -> tuple[int, int]:
        if id(node) in open_nodes:
            raise JobError(f"{path}: line {_line(node)}", "a YAML alias contains itself")
        if id(node) not in sizes:
            open_nodes.add(id(node))
            below = [visit(child) for child in _children(node)]
            open_nodes.discard(id(node))
            count = 1 + sum(each for each, _ in below)
            depth = 1 + max((each for _, each in below), default=0)
            where = f"{path}: line {_line(node)}"
            if count > _MOST_VALUES:
                raise _too_large(where, f"these are more than {_MOST_VALUES} values")
            if node.tag == _INTEGER_TAG and len(node.value) > _LONGEST_NUMBER:
                raise _too_large(where, f"a number has {len(node.value)} digits")
            if depth > _DEEPEST:
                raise _too_large(path, f"it is nested more than {_DEEPEST} levels deep")
            sizes[id(node)] = count, depth
        return sizes[id(node)]

    visit(root)


def _too_large(where: str, what: str) -> JobError:
    return JobError(
        where, f"too large for a job file: {what}", "Pass values by a file that the code reads."
    )


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _location(path: str, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return path if mark is None else f"{path}: line {mark.line + 1}, column {mark.column + 1}"


def _problem(error: yaml.MarkedYAMLError) -> str:
    if error.problem == "but found another document":
        return "a second document begins here, and a job file has one"
    if error.problem == "exceeded maximum nesting depth":
        return "it is nested too deeply"
    parts = (error.context, error.problem)
    return _one_line(", ".join(part for part in parts if part)) or "it cannot be read"


def _one_line(error: object) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "plain text"
    return f"the single value {value!r}"
