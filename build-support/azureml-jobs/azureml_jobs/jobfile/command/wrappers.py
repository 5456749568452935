"""Programs that start other programs, whatever their own options are."""

from __future__ import annotations

from itertools import dropwhile

from azureml_jobs.jobfile.command.python import name_arguments, run_module, run_script
from azureml_jobs.jobfile.command.shell import Arguments, Program, Shell, is_assignment


def run_wrapper(shell: Shell, args: Arguments, *, takes_module: bool = False) -> None:
    """Read on at the program, the Python file or the module that a wrapper starts.

    takes_module: `-m` is followed by a module of Python, as for torchrun.
    """
    start, run = _start(shell, args, takes_module)
    # Before its first option, a wrapper has subcommands.
    shell.name_files(list(dropwhile(lambda word: not word.is_option, args[:start])))
    if start < len(args):
        run(shell, args[start:])


def _start(shell: Shell, args: Arguments, takes_module: bool) -> tuple[int, Program]:
    """Return where the command of a wrapper begins, and what reads it."""
    is_module = False
    for index, word in enumerate(args):
        if takes_module and word.text in ("-m", "--module"):
            is_module = True
        elif is_module and not word.is_option:
            return index, run_module
        elif word.is_python_file:
            return index, run_script
        elif shell.starts_command(word):
            while index and is_assignment(args[index - 1]):
                index -= 1
            return index, Shell.run
    # `time make train`, `timeout 60 train`.
    first = (index for index, word in enumerate(args) if not word.is_option)
    return next(first, len(args)), Shell.run


def run_unknown(shell: Shell, args: Arguments) -> None:
    """Read the arguments of a program that may run some of them."""
    with shell.doubt():
        start = next((i for i, word in enumerate(args) if shell.starts_command(word)), len(args))
        name_arguments(shell, args[:start])
        if start < len(args):
            shell.run(args[start:])
