"""Find, check and replace `${{inputs.x}}` and `${{outputs.y}}` in commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import nearest, suggestion
from azureml_jobs.jobfile.documents import Node, mapping_of, nodes_of
from azureml_jobs.jobfile.findings import Finding
from azureml_jobs.jobfile.schema.kind import kind_of

_EXPRESSION = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
_REFERENCE = re.compile(r"(inputs|outputs)\.([\w-]+)((?:\.[\w-]+)*)")
_ONE_BRACE = re.compile(r"(?<!\{)\{((?:inputs|outputs|search_space)\.[^}]*)\}(?!\})")
# Of it azure-ai-ml replaces what is within the dollar: bash would read the value's first digit.
_ONE_BRACE_AFTER_DOLLAR = re.compile(r"\$(\{(?:inputs|outputs|search_space)\.[^{}]*\})(?!\})")
_OPTIONAL_PART = re.compile(r"\$\[\[((?:(?!\$\[\[).)*?)\]\]", re.DOTALL)
# What bash has read to its end: quotes, escapes and comments, which may hold an apostrophe.
_CLOSED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.|(?<![^ \t\n;|&(])\#[^\n]*""", re.DOTALL)
# Azure ML sets a variable with this prefix and an input's name to the path of the input's data.
_DATA_VARIABLE = "AZURE_ML_INPUT_"
# Namespaces that Azure ML knows in other kinds of jobs.
_ELSEWHERE = {"parent": "pipeline jobs", "search_space": "sweep jobs"}


@dataclass(frozen=True)
class Reference:
    """One `${{inputs.name}}` or `${{outputs.name}}`.

    attribute: what follows the name (`path` in `${{inputs.x.path}}`), mostly empty.
    is_optional: it is in a part `$[[ … ]]`, which is left out when there is no such input.
    """

    group: str
    name: str
    attribute: str = ""
    is_optional: bool = False


def references(command: str) -> tuple[Reference, ...]:
    """Return the inputs and outputs that `command` names, in order, with repetitions."""
    return tuple(each for _, each in _expressions(command) if each)


def _expressions(command: str) -> Iterator[tuple[str, Reference | None]]:
    """Yield what is in each `${{…}}`, and the input or output that it is."""
    optional = [match.span() for match in _OPTIONAL_PART.finditer(command)]
    for match in _EXPRESSION.finditer(command):
        parts = _REFERENCE.fullmatch(match[1])
        is_optional = any(start <= match.start() < end for start, end in optional)
        found = parts and Reference(parts[1], parts[2], parts[3][1:], is_optional)
        yield match[1], found


def with_two_braces(command: str) -> str:
    """Return the command of a job with `{inputs.x}`, the form of a preview, as `${{inputs.x}}`.

    azure-ai-ml does the same before it sends it (`map_single_brackets_and_warn`).
    """
    return _ONE_BRACE.sub(r"${{\1}}", command)


def reference_findings(document: Mapping[str, Any]) -> list[Finding]:
    """Return every expression in a command of the document that names nothing there.

    azure-ai-ml checks inputs alike before it submits (`validate_inputs_for_command`). What it does
    not replace reaches bash as `${{…}}`, which bash refuses as a bad substitution.
    """
    return _findings(node for node in nodes_of(document) if not _is_step(node))


def step_reference_findings(document: Mapping[str, Any]) -> list[Finding]:
    """Return the same of commands that a pipeline has itself, which azure-ai-ml does not check."""
    return _findings(node for node in nodes_of(document) if _is_step(node))


def _is_step(node: Node) -> bool:
    return node.keys[-2:-1] == ("jobs",)


def _findings(nodes: Iterable[Node]) -> list[Finding]:
    commands = (node for node in nodes if node.type == "command")
    return list(dict.fromkeys(each for node in commands for each in _of_command(node)))


def _of_command(node: Node) -> Iterator[Finding]:
    command = node.value.get("command")
    if not isinstance(command, str):
        return
    key = ".".join((*node.keys, "command"))
    # In a component azure-ai-ml accepts `${{inputs.x.path}}`.
    is_job = not node.keys and kind_of(node.value) == "command job"
    if is_job or node.keys == ("trial",):
        for match in _ONE_BRACE_AFTER_DOLLAR.finditer(command):
            what = f"`{match[0]}` has one pair of braces"
            yield Finding(key, what, f"Write `${{{match[1]}}}`.")
        command = with_two_braces(command)
    for content, reference in _expressions(command):
        if reference:
            # A trial has the inputs of its sweep.
            owner = node.owner if node.owner and "inputs" not in node.value else node.value
            refused = _refused_reference(owner, reference, is_job)
        else:
            refused = _refused_expression(node.owner, content)
        if refused:
            yield Finding(key, *refused)


def _refused_reference(
    job: Mapping[str, Any], reference: Reference, is_job: bool
) -> tuple[str, str] | None:
    """Return what is wrong and what to write."""
    group, name = reference.group, reference.name
    names, written = list(map(str, mapping_of(job.get(group)))), f"${{{{{group}.{name}}}}}"
    if name not in {each.partition(".")[0] for each in names}:
        # azure-ai-ml accepts unknown inputs in an optional part.
        if reference.is_optional:
            return None
        remedy = suggestion(name, names, f"The job has no `{group}:`.")
        return (
            f"`{written}` names no {group[:-1]} of this job",
            f"{remedy} Or add `{name}:` below `{group}:`.",
        )
    if is_job and reference.attribute:
        written_here = f"${{{{{group}.{name}.{reference.attribute}}}}}"
        return (
            f"`{written_here}` is not replaced by Azure ML in a command job",
            f"Write `{written}`, which is the path of the data.",
        )
    return None


def _refused_expression(sweep: Mapping[str, Any] | None, content: str) -> tuple[str, str] | None:
    namespace, _, name = content.partition(".")
    written = f"${{{{{content}}}}}"
    if sweep and namespace == "search_space" and "." in content:
        names = list(map(str, mapping_of(sweep.get("search_space"))))
        remedy = suggestion(name, names, "The sweep has no `search_space:`.")
        what = f"`{written}` names nothing in the search space"
        return None if name in names else (what, f"{remedy} Or add `{name}:` to it.")
    if namespace in _ELSEWHERE:
        return (
            f"`{written}` is for {_ELSEWHERE[namespace]}, and this is a command job",
            "Write `${{inputs.NAME}}` or `${{outputs.NAME}}`.",
        )
    # A later version of Azure ML may replace it.
    close = nearest(namespace, ("inputs", "outputs"))
    what = f"`{written}` is not replaced by Azure ML in a command job"
    return (what, f"Did you mean `${{{{{close}.{name or 'NAME'}}}}}`?") if close else None


def unused_inputs(job: Mapping[str, Any], scripts: Collection[str] = ()) -> list[Finding]:
    """Return every input of the job that its command never uses.

    A command uses an input by `${{inputs.x}}`, and one that is data also by the environment
    variable `AZURE_ML_INPUT_x`. `scripts` are the texts of the files that the command runs: if one
    of them reads such variables, every input that is data counts as used, because the script may
    compose its name.
    """
    command, inputs = job.get("command"), job.get("inputs")
    if not isinstance(command, str) or not isinstance(inputs, Mapping):
        return []
    used = {found.name for found in references(with_two_braces(command)) if found.group == "inputs"}
    reads_variables = any(_DATA_VARIABLE in text for text in (command, *scripts))
    what = "the command never uses this input"
    remedy = "Write `${{{{inputs.{}}}}}` where the command needs it, or remove the input."
    return [
        Finding(f"inputs.{name}", what, remedy.format(name))
        for name, value in inputs.items()
        if name not in used
        if not (reads_variables and isinstance(value, Mapping) and "value" not in value)
    ]


def render(
    command: str,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    paths: Collection[str] = (),
    search_space: Mapping[str, str] | None = None,
) -> str:
    """Return `command` with its expressions replaced, and all other text unchanged.

    `inputs` and `outputs` map each name to its value: the path of the data, or the text of a
    literal. Those that `paths` names (`inputs.x`) are quoted for bash where that is needed. A part
    `$[[ … ]]` is kept when all inputs in it are given, and left out otherwise. `search_space` has
    what `${{search_space.x}}` stands for in the trial of a sweep.

    Raises `JobError` for a name that is not given.
    """
    values = {"inputs": inputs, "outputs": outputs}
    parameters = {f"search_space.{name}": text for name, text in (search_space or {}).items()}

    def keep_or_drop(match: re.Match[str]) -> str:
        is_given = all(each.name in values[each.group] for each in references(match[1]))
        return match[1] if is_given else ""

    def replace(match: re.Match[str]) -> str:
        parts = _REFERENCE.fullmatch(match[1])
        if parts is None:
            return parameters.get(match[1], match[0])
        # Components may have `${{inputs.x.path}}`, which is the same as `${{inputs.x}}`.
        group, name = parts[1], parts[2] + parts[3].removesuffix(".path")
        if name not in values[group]:
            raise JobError("command", f"there is no value for `{match[0]}`")
        is_path = f"{group}.{name}" in paths
        value = values[group][name]
        return _quoted(value, kept[: match.start()]) if is_path else value

    kept = _OPTIONAL_PART.sub(keep_or_drop, command)
    return _EXPRESSION.sub(replace, kept)


def _quoted(path: str, before: str) -> str:
    """Return `path` as it must be written after this part of a command.

    In Azure ML paths have none of bash's special characters, but a folder on a user's machine may
    have a space in its name.
    """
    opened = re.search("['\"]", _CLOSED.sub("", before))
    if opened is None:
        return shlex.quote(path)
    if opened[0] == "'":
        return path.replace("'", "'\\''")
    return re.sub(r'([\\"$`])', r"\\\1", path)


def literal_text(value: Any) -> str:
    """Return a literal input as the text that Azure ML puts into the command.

    azure-ai-ml sends `str(value)` (`entities/_job/_input_output_helpers.py`), so `true` arrives as
    `True` and `1.0e-3` as `0.001`.
    """
    return str(value)
