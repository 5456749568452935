"""Read which code a command runs."""

from __future__ import annotations

from azureml_jobs.jobfile.command.bash import split_commands
from azureml_jobs.jobfile.command.entry_point import EntryPoint
from azureml_jobs.jobfile.command.finder import EntryPointFinder
from azureml_jobs.jobfile.command.programs import program_of


def entry_points(command: str) -> tuple[EntryPoint, ...]:
    """Return what `command` runs and names, in order of appearance, without repetitions.

    `command` is bash as it is in a job file, or the text of a shell script. A token that the shell
    or Azure ML completes (`$VAR`, `${{inputs.x}}`, `*.csv`) is never a path. Imports within
    `python -c` and here-documents are not read.

    Raises `ValueError`, whose text is a plain sentence, when the command cannot be split: a quote
    or a `$(` that is never closed.
    """
    finder = EntryPointFinder(program_of)
    finder.read(split_commands(command))
    found = dict.fromkeys(finder.found)
    run = {entry.value for entry in found if entry.kind == "script"}
    return tuple(entry for entry in found if entry.kind != "file" or entry.value not in run)
