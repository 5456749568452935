"""Python, its modules that run other code, and the launchers that start it."""

from __future__ import annotations

import posixpath
import re

from azureml_jobs.jobfile.command.finder import Arguments, EntryPointFinder
from azureml_jobs.jobfile.command.words import Word

PYTHON = re.compile(r"i?python[\d.]*[dt]?|pypy[\d.]*")
PYTHON_VARIABLE = re.compile(r"\$\{?\w*python\w*", re.IGNORECASE)

_DOTTED_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
# Options that end Python's own (`-m`, `-c`), and those that take a value (`-W`, `-X`).
_OPTIONS_WITH_VALUE = "mcWX"

# Python modules that take options, then `-m MODULE` or a Python script, then its arguments:
# `python -m torch.distributed.run --nproc-per-node=2 train.py`.
_LAUNCHER_MODULES = {
    *("accelerate.commands.launch", "cProfile", "coverage", "debugpy", "kernprof", "mpi4py"),
    *("deepspeed.launcher.runner", "memory_profiler", "pdb", "profile", "scalene", "streamlit"),
    *("torch.distributed.launch", "torch.distributed.run", "trace", "viztracer"),
}
_LAUNCHER_COMMANDS = {"launch", "run"}
# Options of launchers that take no value. After any other option without a `=`, the next word is
# its value, unless that is an option too or is named like a Python file.
_LAUNCHER_FLAGS = {
    *("append", "branch", "cpu", "debug", "enable_cpu_affinity", "force", "mps", "multi_gpu"),
    *("no_local_rank", "quiet", "run_path", "same_network", "standalone", "tpu", "use_deepspeed"),
    *("use_env", "use_fsdp", "use_megatron_lm", "use_xpu", "a", "b", "l", "q", "v"),
}
_PYTEST_VALUES = {
    *("-k", "-m", "-c", "-p", "-o", "-n", "-W", "--ignore", "--deselect", "--rootdir"),
    *("--confcutdir", "--basetemp", "--junitxml", "--junit-xml"),
}


def run_python(finder: EntryPointFinder, args: Arguments) -> None:
    """Read `python OPTIONS (-m MODULE | -c CODE | SCRIPT | -) ARGUMENTS`."""
    index = 0
    while index < len(args):
        word, following = args[index], args[index + 1 :]
        if not word.is_plain:
            # `python $FLAGS train.py`: the variable holds options; else it names the script.
            if not (word.is_variable and following and _is_option_or_python_file(following[0])):
                break
        elif not word.text.startswith("-"):
            return _run_script(finder, args[index:])
        elif word.text == "--":
            return _run_script(finder, following)
        elif word.text == "-":
            break
        elif word.text.startswith("--"):
            if word.text == "--check-hash-based-pycs":
                index += 1
        else:
            option, value = _split_options(word.text)
            if option == "m":
                return _run_module(finder, [Word(value), *following] if value else following)
            if option == "c":
                return finder.add_files(following if value else following[1:])
            if option and not value:
                index += 1
        index += 1
    finder.add_files(args[index:])


def _is_option_or_python_file(word: Word) -> bool:
    return word.text.startswith("-") or word.is_python_file


def _split_options(options: str) -> tuple[str, str]:
    """Return the first option of `-abc` that takes a value, and the part of it that is attached."""
    for index, letter in enumerate(options[1:], start=1):
        if letter in _OPTIONS_WITH_VALUE:
            return letter, options[index + 1 :]
    return "", ""


def _run_module(finder: EntryPointFinder, words: Arguments) -> None:
    if not words:
        return
    module, args = words[0], words[1:]
    if not module.is_plain or not _DOTTED_NAME.fullmatch(module.text):
        finder.add_files(args)
        return
    finder.add_module(module.text)
    if module.text in _LAUNCHER_MODULES:
        run_launcher(finder, args)
    elif module.text == "pytest":
        run_pytest(finder, args)
    else:
        finder.add_files(args)


def _run_script(finder: EntryPointFinder, words: Arguments) -> None:
    if not words:
        return
    script = words[0]
    if script.is_plain and (script.text == "." or script.text.endswith("/")):
        # Python runs a folder by the `__main__.py` in it.
        script = Word(posixpath.join(script.text, "__main__.py"))
    finder.add_script(script)
    finder.add_files(words[1:])


def run_launcher(finder: EntryPointFinder, args: Arguments) -> None:
    """Read `[run] OPTIONS (-m MODULE | SCRIPT) ARGUMENTS`, as torchrun and its like take them."""
    if args and args[0].is_plain and args[0].text in _LAUNCHER_COMMANDS:
        args = args[1:]
    runs_module = runs_program = False
    index = 0
    while index < len(args):
        word = args[index]
        option = word.text.lstrip("-").replace("-", "_")
        if not word.is_plain:
            finder.add_files([word])
        elif word.text in ("-m", "--module"):
            runs_module = True
        elif option == "no_python" and word.text.startswith("--"):
            runs_program = True
        elif word.text == "--":
            index += 1
            break
        elif not word.text.startswith("-") or word.text == "-":
            break
        elif "=" in word.text:
            finder.add_files([word])
        elif index + 1 < len(args) and option not in _LAUNCHER_FLAGS:
            value = args[index + 1]
            if not _is_option_or_python_file(value):
                finder.add_files([value])
                index += 1
        index += 1
    rest = args[index:]
    if runs_module:
        _run_module(finder, rest)
    elif runs_program or (rest and not rest[0].is_script):
        finder.run(rest)
    else:
        _run_script(finder, rest)


def run_accelerate(finder: EntryPointFinder, args: Arguments) -> None:
    if args and args[0].text == "launch":
        run_launcher(finder, args)
    else:
        finder.add_files(args)


def run_pytest(finder: EntryPointFinder, args: Arguments) -> None:
    for before, word in zip((None, *args), args):
        path, _, _ = word.text.partition("::")
        is_value = before is not None and before.text in _PYTEST_VALUES
        if word.is_plain and path.endswith(".py") and path[:1] != "-" and not is_value:
            finder.add_script(Word(path))
        else:
            finder.add_files([word])


def run_papermill(finder: EntryPointFinder, args: Arguments) -> None:
    # The first path is the notebook, the second is what papermill writes.
    paths = [word for word in args if word.is_plain and word.text.endswith(".ipynb")]
    for word in args:
        if paths and word is paths[0]:
            finder.add_script(word)
        elif word not in paths[1:2]:
            finder.add_files([word])
