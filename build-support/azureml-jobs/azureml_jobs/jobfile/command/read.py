"""Read which code a command runs."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from azureml_jobs.jobfile.command.arguments import SNAPSHOT, UNKNOWN, Argument
from azureml_jobs.jobfile.command.bash import split_commands
from azureml_jobs.jobfile.command.bash_words import EXPRESSION
from azureml_jobs.jobfile.command.code import CommandCode, ScriptStart
from azureml_jobs.jobfile.command.packages import LIST_SUFFIXES, read_requirements
from azureml_jobs.jobfile.command.programs import run_program, starts_command
from azureml_jobs.jobfile.command.shell import Shell
from azureml_jobs.jobfile.command.surroundings import Found


def read_command(command: str, *, variables: Mapping[str, str] | None = None) -> CommandCode:
    """Return what `command` runs and names, in order of appearance, without repetitions.

    command: bash, as it is in a job file.
    variables: those of the environment; a value may name a file, like a word of the command.

    Raises `ValueError`, whose text is a plain sentence, when the command cannot be split: a quote
    or a `$(` that is never closed.
    """
    shell = _shell("", {})
    shell.source = "environment_variables"
    values = {name: EXPRESSION.sub(UNKNOWN, value) for name, value in (variables or {}).items()}
    shell.assign([Argument(f"{name}={value}") for name, value in values.items()], exports=True)
    return _read(command, shell)


def read_script(text: str, start: ScriptStart) -> CommandCode:
    """Return what a shell script, or a list of requirements, runs and names."""
    variables = {
        "PYTHONPATH": ":".join(f"{SNAPSHOT}/{entry}" for entry in start.pythonpath),
        "0": f"{SNAPSHOT}/{start.name}",
        "BASH_SOURCE": f"{SNAPSHOT}/{start.name}",
    }
    shell = _shell(start.folder, variables)
    if start.name.endswith(LIST_SUFFIXES):
        read_requirements(shell, text, posixpath.dirname(start.name))
        return _without_repetitions(shell.found)
    return _read(text, shell)


def _shell(folder: str, variables: dict[str, str]) -> Shell:
    return Shell(
        run_program=run_program,
        starts_command=starts_command,
        folder=folder,
        variables={"PYTHONPATH": "", **variables},
        exported={"PYTHONPATH"} if variables.get("PYTHONPATH") else set(),
        found=Found(),
    )


def _read(text: str, shell: Shell) -> CommandCode:
    try:
        shell.read_in_subshell(split_commands(text))
    except RecursionError:
        # It is nested more deeply than anybody writes, and bash would take it: read its words.
        shell.run([Argument("any"), *map(Argument, text.split())])
    return _without_repetitions(shell.found)


def _without_repetitions(found: Found) -> CommandCode:
    certain = {start.value for start in found.python if start.is_certain}
    certain |= {start.name for start in found.scripts if start.is_certain}
    python = [each for each in found.python if each.is_certain or each.value not in certain]
    scripts = [each for each in found.scripts if each.is_certain or each.name not in certain]
    run = {start.value for start in python if start.kind == "script"}
    run |= {start.name for start in scripts}
    return CommandCode(
        python=tuple(dict.fromkeys(python)),
        scripts=tuple(dict.fromkeys(scripts)),
        files=tuple(file for file in dict.fromkeys(found.files) if file not in run),
        warnings=tuple(dict.fromkeys(found.warnings)),
        installs_packages=found.installs_packages,
    )
