"""Read which code a node names, and what of it is started."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.command.code import Code, CommandCode
from azureml_jobs.jobfile.command.read import read_command
from azureml_jobs.jobfile.documents import Node, mapping_of, value_at
from azureml_jobs.jobfile.paths import is_local, local_path

# What Spark is given in addition to its entry, by paths in the code or by addresses.
_SPARK_FILES = ("py_files", "jars", "files", "archives")


def code_keys(node: Node) -> tuple[str, ...]:
    """Return where the mapping stands that may name the code."""
    return (*node.keys, "task") if node.type == "parallel" else node.keys


def code_key(node: Node) -> str:
    """Return the key that names the code; it is empty for a prompt flow, which is in its code."""
    if node.type == "flow":
        return "flow" if "flow" in node.value else ""
    return "code"


def code_of(document: str, node: Node) -> Code:
    """Return the code of the node; where none is named it is the document's own folder."""
    keys = (*code_keys(node), *filter(None, [code_key(node)]))
    written = code_holder(node).get(code_key(node))
    where = f"{document}: {'.'.join(keys)}"
    if isinstance(written, str) and not is_local(written):
        return Code(None, where)
    path = local_path(document, keys, written if isinstance(written, str) else ".")
    key = (*node.keys, "additional_includes")
    includes = (local_path(document, key, each) for each in _texts(node.value, key[-1]))
    return Code(path, where, tuple(includes), is_named=written is not None)


def code_holder(node: Node) -> Mapping[str, Any]:
    """Return the mapping that may have `code`."""
    return mapping_of(node.value.get("task")) if node.type == "parallel" else node.value


def starts_where(document: str, node: Node) -> str:
    """Return the key that says what the node starts, for messages."""
    keys = {"parallel": ("task", "entry_script"), "spark": ("entry", "file"), "flow": ()}
    found = (*node.keys, *keys.get(node.type, ("command",)))
    return f"{document}: {'.'.join(found)}" if found else document


def starts_of(document: str, node: Node) -> CommandCode:
    """Return what the node starts, as if a command did. Raises `JobError` for one without end."""
    if node.type == "flow":
        # All of its folder.
        return CommandCode((), (), ("",), ())
    try:
        if node.type == "spark":
            return _of_spark(node)
        if node.type == "parallel":
            # Azure ML imports the script in a process that starts in the code's folder.
            task = code_holder(node)
            return _of_script(task.get("entry_script"), task.get("program_arguments"))
        variables = mapping_of(node.value.get("environment_variables")).items()
        values = {str(name): str(value) for name, value in variables if value is not None}
        return read_command(_text(node.value.get("command")), variables=values)
    except ValueError as error:
        raise JobError(starts_where(document, node), str(error).rstrip(".")) from error


def _of_spark(node: Node) -> CommandCode:
    starts = _of_script(value_at(node.value, ("entry", "file")), node.value.get("args"))
    files = [each for key in _SPARK_FILES for each in _texts(node.value, key) if is_local(each)]
    # Modules and archives of `py_files` are on the path of the driver.
    folders = [
        posixpath.dirname(each) if each.endswith(".py") else each
        for each in _texts(node.value, "py_files")
        if each in files
    ]
    return replace(_searching(starts, *folders), files=_unique(*starts.files, *files))


def _of_script(script: Any, arguments: Any) -> CommandCode:
    if not isinstance(script, str):
        return read_command(_text(arguments))
    # A parallel job may name a module: `package.main`.
    is_module = not script.endswith(".py") and "/" not in script and "." in script
    run = "python -m" if is_module else "python"
    # The process that runs the script starts in the code's folder.
    return _searching(read_command(f"{run} {shlex.quote(script)} {_text(arguments)}"), "")


def _searching(starts: CommandCode, *folders: str) -> CommandCode:
    """Return the same with these folders at the end of the search paths."""
    python = (
        replace(each, search_path=_unique(*each.search_path, *folders)) for each in starts.python
    )
    return replace(starts, python=tuple(python))


def _texts(value: Mapping[str, Any], key: str) -> list[str]:
    found = value.get(key)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _unique(*values: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
