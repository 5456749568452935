"""Python, its launchers, and other programs that start programs."""

from __future__ import annotations

import posixpath
import re
from itertools import dropwhile

from azureml_jobs.jobfile.command.arguments import ADDRESS, Argument
from azureml_jobs.jobfile.command.code import Kind
from azureml_jobs.jobfile.command.shell import Arguments, Program, Shell, is_assignment

PYTHON = re.compile(r"i?python[\d.]*[dt]?|pypy[\d.]*")
_DOTTED_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_SETUP_COMMANDS = {"install", "develop", "build_ext", "build", "bdist_wheel", "sdist", "egg_info"}

# Programs and packages that take options, then `-m MODULE` or a Python script, then its arguments:
# `torchrun --nproc-per-node=2 train.py`, `python -m torch.distributed.run …`.
LAUNCHERS = {
    *("accelerate", "accelerate-launch", "cProfile", "coverage", "debugpy", "deepspeed"),
    *("kernprof", "mpi4py", "pdb", "profile", "scalene", "streamlit", "torch", "torchrun"),
    *("trace", "uv", "viztracer"),
}


def run_python(shell: Shell, args: Arguments, flags: str = "") -> None:
    """Read `python OPTIONS (-m MODULE | -c CODE | SCRIPT | -) ARGUMENTS`."""
    more_flags, option, words = _read_options(args)
    flags += more_flags
    if option == "m":
        run_module(shell, words, flags)
    elif option == "c" and words:
        _start(shell, "source", words[0].text, [shell.folder], flags)
        name_arguments(shell, words[1:])
    elif not words or words[0].text == "-":
        _run_standard_input(shell, flags)
        name_arguments(shell, words[1:])
    elif words[0].is_plain:
        run_script(shell, words, flags)
    else:
        # `python $FLAGS train.py`, or `python $SCRIPT`.
        starts = len(shell.found.python)
        with shell.doubt():
            run_python(shell, words[1:], flags)
        if len(shell.found.python) == starts:
            shell.warn_of_unknown()


def _read_options(args: Arguments) -> tuple[str, str, list[Argument]]:
    """Return the flags, the option that ends Python's own (`m` or `c`), and the words after it."""
    flags = ""
    words = list(args)
    while words and words[0].is_option and words[0].is_plain and words[0].text != "-":
        word = words.pop(0).text
        if word == "--":
            break
        if word == "--check-hash-based-pycs":
            words[:1] = []
        for index, letter in enumerate("" if word.startswith("--") else word[1:], start=2):
            if letter in "mcWX":
                words[:0] = [Argument(word[index:])] if word[index:] else []
                if letter in "mc":
                    return flags, letter, words
                words[:1] = []
                break
            flags += letter
    return flags, "", words


def _start(shell: Shell, kind: Kind, value: str, folders: list[str], flags: str) -> None:
    folders = [] if set("IP") & set(flags) else folders
    shell.start_python(kind, value, folders, uses_pythonpath=not set("IE") & set(flags))


def _run_standard_input(shell: Shell, flags: str) -> None:
    file = next((word for word in shell.reads if word.is_plain), None)
    if file is not None:
        _start(shell, "script", shell.path(file.text), [shell.folder], flags)
    elif shell.standard_input is not None:
        _start(shell, "source", shell.standard_input, [shell.folder], flags)


def run_module(shell: Shell, words: Arguments, flags: str = "") -> None:
    if not words:
        return
    module, args = words[0], words[1:]
    package = module.text.partition(".")[0]
    if not module.is_plain:
        shell.warn_of_unknown()
    elif _DOTTED_NAME.fullmatch(module.text) and package != "pip":
        _start(shell, "module", module.text, [shell.folder], flags)
    if package in {*LAUNCHERS, "pip", "pytest"}:
        shell.run_program(shell, [Argument(package), *args])
    else:
        name_arguments(shell, args)


def run_script(shell: Shell, words: Arguments, flags: str = "") -> None:
    """Read `SCRIPT ARGUMENTS`."""
    if not words:
        return
    script, args = words[0], words[1:]
    path = shell.path(script.text)
    folder = posixpath.dirname(path)
    is_notebook = path.endswith(".ipynb")
    if not script.is_plain:
        shell.warn_of_unknown()
    elif path in shell.found.texts:
        _start(shell, "source", shell.found.texts[path], [folder], flags)
    elif not shell.is_certain and not script.is_script:
        # Not the name of a script: `papermill x.ipynb y.ipynb -k python -p KEY value`.
        shell.name_files([script])
    elif not path.startswith("/"):
        # A notebook runs in its own folder or in that of the program, as the program decides.
        _start(shell, "script", path, [folder, *([shell.folder] if is_notebook else [])], flags)
    if posixpath.basename(path) == "setup.py" and _SETUP_COMMANDS & {word.text for word in args}:
        install_folder(shell, folder)
    # A program that takes two notebooks writes the second.
    name_arguments(shell, [] if is_notebook else args)
    shell.name_files(args if is_notebook else [])
    for name, value in zip(("", *(word.text for word in args)), args):
        # Hydra's folder of configurations is next to the script.
        if name in ("--config-path", "-cp") or value.text.startswith("--config-path="):
            shell.name_files([value], folder=folder)


def install_folder(shell: Shell, path: str) -> None:
    """Note a folder of which the packages are installed: all of it is needed."""
    if not path.startswith(("/", "..")) and not shell.found.is_made(path):
        shell.found.files.append(path)
        shell.found.installed += [path, posixpath.join(path, "src")]
    shell.found.installs_packages = True


def name_arguments(shell: Shell, args: Arguments) -> None:
    """Note files among arguments of a program; what is Python may be run, or loaded, by it."""
    notebooks = [word for word in args if word.text.endswith(".ipynb")]
    for word in args:
        script = Argument(word.text.partition("::")[0])
        path = shell.path(script.text)
        # A program that takes two notebooks writes the second.
        is_start = word not in notebooks[1:] and word.is_plain and script.is_python_file
        if is_start and not ADDRESS.match(path) and not path.startswith(("/", "..")):
            with shell.doubt():
                shell.start_python("script", path, [posixpath.dirname(path), shell.folder])
        else:
            shell.name_files([word])


def run_wrapper(shell: Shell, args: Arguments, *, takes_module: bool = False) -> None:
    """Read on at the program, the Python file or the module that a wrapper starts.

    takes_module: `-m` is followed by a module of Python, as for torchrun.
    """
    start, run = _started(shell, args, takes_module)
    # Before its first option, a wrapper has subcommands.
    shell.name_files(list(dropwhile(lambda word: not word.is_option, args[:start])))
    if start < len(args):
        run(shell, args[start:])


def _started(shell: Shell, args: Arguments, takes_module: bool) -> tuple[int, Program]:
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
