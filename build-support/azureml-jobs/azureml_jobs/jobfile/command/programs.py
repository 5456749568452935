"""The programs whose arguments are known, and what they run."""

from __future__ import annotations

import posixpath

from azureml_jobs.jobfile.command.finder import Arguments, EntryPointFinder, Program
from azureml_jobs.jobfile.command.python import (
    PYTHON,
    PYTHON_VARIABLE,
    run_accelerate,
    run_launcher,
    run_papermill,
    run_pytest,
    run_python,
)
from azureml_jobs.jobfile.command.words import Word

# Options of shells that take the next word as their value.
_SHELL_OPTIONS_WITH_VALUE = "oO"


def program_of(word: Word) -> Program | None:
    """Return what reads the arguments of the program that `word` names, None if it is unknown."""
    if not word.is_plain:
        return run_python if PYTHON_VARIABLE.match(word.text) else None
    name = posixpath.basename(word.text)
    return _PROGRAMS.get(name) or (run_python if PYTHON.fullmatch(name) else None)


def _run_shell(finder: EntryPointFinder, args: Arguments) -> None:
    """Read `bash OPTIONS (-c TEXT | SCRIPT) ARGUMENTS`."""
    index = 0
    runs_text = False
    while index < len(args) and args[index].is_plain and args[index].text[:1] in ("-", "+"):
        text = args[index].text
        index += 1
        if text == "--":
            break
        if not text.startswith("--"):
            runs_text = runs_text or "c" in text
        if text in ("--rcfile", "--init-file") or (
            not text.startswith("--") and text[-1] in _SHELL_OPTIONS_WITH_VALUE
        ):
            index += 1
    rest = args[index:]
    if rest and runs_text:
        finder.read_text(rest[:1])
    elif rest:
        finder.add_script(rest[0])
    finder.add_files(rest[1:])


def _run_interpreter(finder: EntryPointFinder, args: Arguments) -> None:
    for index, word in enumerate(args):
        if word.is_plain and not word.text.startswith("-"):
            finder.add_script_or_file(word)
            finder.add_files(args[index + 1 :])
            return
        if word.text in ("-e", "-E"):
            finder.add_files(args[index + 2 :])
            return


def _source(finder: EntryPointFinder, args: Arguments) -> None:
    for word in args[:1]:
        finder.add_script_or_file(word)
    finder.add_files(args[1:])


def _run_wrapper(finder: EntryPointFinder, args: Arguments) -> None:
    """Read on at the program that a wrapper starts, whatever the wrapper's own options are."""
    starts = [
        *(index for index, word in enumerate(args) if _names_a_program(word)),
        *(index for index, word in enumerate(args) if word.text.startswith("./")),
        len(args),
    ]
    finder.add_files(args[: starts[0]])
    if starts[0] < len(args):
        finder.run(args[starts[0] :])


def _names_a_program(word: Word) -> bool:
    if program_of(word) is not None:
        return True
    return word.is_plain and word.is_script and not word.text.startswith("-")


def _cd(finder: EntryPointFinder, args: Arguments) -> None:
    options = ("-P", "-L", "--", "-e")
    finder.change_folder(next((word for word in args if word.text not in options), None))


def _pushd(finder: EntryPointFinder, args: Arguments) -> None:
    finder.pushed_folders.append(finder.folder)
    _cd(finder, args)


def _popd(finder: EntryPointFinder, args: Arguments) -> None:
    pushed = finder.pushed_folders
    finder.folder = pushed.pop() if pushed and not args else None


def _print(finder: EntryPointFinder, args: Arguments) -> None:
    """Ignore the arguments: they are printed, not read."""


_SHELLS = ("bash", "sh", "dash", "zsh", "ksh")
_INTERPRETERS = ("Rscript", "julia", "perl", "node", "ruby")
# Programs whose options precede the name of another program.
_WRAPPERS = (
    *("builtin", "catchsegv", "command", "conda", "dumb-init", "env", "exec", "gdb", "horovodrun"),
    *("ionice", "mamba", "micromamba", "mpiexec", "mpiexec.hydra", "mpirun", "ncu", "nice"),
    *("nohup", "nsys", "numactl", "orterun", "parallel", "pipenv", "pixi", "poetry", "prun"),
    *("py-spy", "ray", "setsid", "srun", "stdbuf", "strace", "sudo", "taskset", "time"),
    *("timeout", "tini", "unbuffer", "uv", "valgrind", "xargs", "xvfb-run"),
)
# Programs that take options, then `-m MODULE` or a Python script, then that script's arguments.
_LAUNCHERS = ("torchrun", "accelerate-launch", "deepspeed", "streamlit", "coverage", "kernprof")

_PROGRAMS: dict[str, Program] = {
    **dict.fromkeys(_SHELLS, _run_shell),
    **dict.fromkeys(_INTERPRETERS, _run_interpreter),
    **dict.fromkeys(_WRAPPERS, _run_wrapper),
    **dict.fromkeys(_LAUNCHERS, run_launcher),
    **dict.fromkeys(("source", "."), _source),
    **dict.fromkeys(("echo", "printf"), _print),
    "accelerate": run_accelerate,
    "pytest": run_pytest,
    "papermill": run_papermill,
    "eval": EntryPointFinder.read_text,
    "cd": _cd,
    "pushd": _pushd,
    "popd": _popd,
}
