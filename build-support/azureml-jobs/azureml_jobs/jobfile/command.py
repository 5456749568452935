"""Which code a job runs, read off its command without running anything."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from azureml_jobs.jobfile.bash import Command, Group, Word, split_commands

Kind = Literal["module", "script", "file"]


@dataclass(frozen=True)
class EntryPoint:
    """A piece of code or a file that a command names.

    module: a dotted name that Python runs (`python -m a.b`), first-party or not.
    script: a path that the command runs, so it must exist.
    file: any other token that looks like a relative path; it may be a file of the repository.

    Paths are relative to the folder in which the command starts, normalised, with forward slashes.
    """

    kind: Kind
    value: str


def entry_points(command: str) -> tuple[EntryPoint, ...]:
    """Return what `command` runs and names, in order of appearance, without repetitions.

    `command` is bash as it stands in a job file: nothing is executed, expanded or looked up. A
    token that the shell or Azure ML completes (`$VAR`, `${{inputs.x}}`, `*.csv`) is never a path.
    Imports within `python -c` and here-documents are not read. The text of a shell script may be
    given as well, to follow what that script runs.

    Raises `ValueError`, whose text is a plain sentence, when the command cannot be split: a quote
    or a `$(` that is never closed.
    """
    reader = _Reader()
    reader.read(split_commands(command))
    found = dict.fromkeys(reader.found)
    run = {entry.value for entry in found if entry.kind == "script"}
    return tuple(entry for entry in found if entry.kind != "file" or entry.value not in run)


_Args = Sequence[Word]

_PYTHON = re.compile(r"i?python[\d.]*[dt]?|pypy[\d.]*")
_PYTHON_VARIABLE = re.compile(r"\$\{?\w*python\w*", re.IGNORECASE)
_DOTTED_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_ASSIGNMENT = re.compile(r"[^\W\d]\w*\+?=")
_URL = re.compile(r"\w[\w+.-]+:")
_SUFFIX = re.compile(r"[^/\s]\.[A-Za-z]\w{0,11}$")
_PYTHON_SUFFIXES = (".py", ".pyz", ".pex")
_SCRIPT_SUFFIXES = (*_PYTHON_SUFFIXES, ".sh", ".bash", ".zsh", ".R", ".r", ".jl", ".pl", ".js")

# Words after which a command begins, and words that open and close what may not be run at all.
_LEADING_WORDS = {"if", "then", "elif", "else", "while", "until", "do", "!", "{", "coproc"}
_OPENING_WORDS = {"if", "while", "until", "for", "select", "case", "function"}
_CLOSING_WORDS = {"fi", "done", "esac"}

_SHELLS = {"bash", "sh", "dash", "zsh", "ksh"}
_INTERPRETERS = {"Rscript", "julia", "perl", "node", "ruby"}
_SOURCES = {"source", "."}
# Programs whose options stand before the name of another program.
_WRAPPERS = {
    *("builtin", "catchsegv", "command", "conda", "dumb-init", "env", "exec", "gdb", "horovodrun"),
    *("ionice", "mamba", "micromamba", "mpiexec", "mpiexec.hydra", "mpirun", "ncu", "nice"),
    *("nohup", "nsys", "numactl", "orterun", "parallel", "pipenv", "pixi", "poetry", "prun"),
    *("py-spy", "ray", "setsid", "srun", "stdbuf", "strace", "sudo", "taskset", "time"),
    *("timeout", "tini", "unbuffer", "uv", "valgrind", "xargs", "xvfb-run"),
}
# Programs that take options, then `-m MODULE` or a Python script, then that script's arguments.
_LAUNCHERS = {"torchrun", "accelerate-launch", "deepspeed", "streamlit", "coverage", "kernprof"}
# Python modules that do the same: `python -m torch.distributed.run --nproc-per-node=2 train.py`.
_LAUNCHER_MODULES = {
    *("accelerate.commands.launch", "cProfile", "coverage", "debugpy", "kernprof", "mpi4py"),
    *("deepspeed.launcher.runner", "memory_profiler", "pdb", "profile", "scalene", "streamlit"),
    *("torch.distributed.launch", "torch.distributed.run", "trace", "viztracer"),
}
_LAUNCHER_COMMANDS = {"launch", "run"}
# Options of those launchers that take no value. After any other option without a `=`, the next word
# is its value, unless that is an option too or is named like a Python file.
_LAUNCHER_FLAGS = {
    *("append", "branch", "cpu", "debug", "enable_cpu_affinity", "force", "mps", "multi_gpu"),
    *("no_local_rank", "quiet", "run_path", "same_network", "standalone", "tpu", "use_deepspeed"),
    *("use_env", "use_fsdp", "use_megatron_lm", "use_xpu", "a", "b", "l", "q", "v"),
}
_PYTEST_VALUES = {
    *("-k", "-m", "-c", "-p", "-o", "-n", "-W", "--ignore", "--deselect", "--rootdir"),
    *("--confcutdir", "--basetemp", "--junitxml", "--junit-xml"),
}
# Options of Python and of shells that take the next word as their value.
_PYTHON_VALUES = "WX"
_SHELL_VALUES = "oO"

# `env env env …` and `eval eval eval …` recur once a word.
_DEEPEST = 60


@dataclass
class _Reader:
    """Reads commands in order, and keeps track of the folder in which each of them starts."""

    found: list[EntryPoint] = field(default_factory=list)
    # Relative to where the job starts; None when a `cd` leads to where only the run can tell.
    folder: str | None = ""
    pushed: list[str | None] = field(default_factory=list)
    open_blocks: int = 0
    is_alternative: bool = False
    depth: int = 0

    def read(self, items: Sequence[Command | Group]) -> None:
        for item in items:
            if isinstance(item, Group):
                before = self.folder, list(self.pushed), self.open_blocks
                self.read(item.items)
                self.folder, self.pushed, self.open_blocks = before
            else:
                self.is_alternative = item.after == "||"
                self.run(item.words)
                self.files(item.read_from)

    # What a single command runs.

    def run(self, words: _Args) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError("the command is nested too deeply")
        words = self._without_prefixes(words)
        if words:
            self._run_program(words)
        self.depth -= 1

    def _run_program(self, words: _Args) -> None:
        program, args = words[0], words[1:]
        if not program.is_plain:
            if _PYTHON_VARIABLE.match(program.text):
                self._python(args)
            else:
                self.files(args)
            return
        name = posixpath.basename(program.text)
        special = _PROGRAMS.get(name)
        if special is not None:
            special(self, args)
        elif _PYTHON.fullmatch(name):
            self._python(args)
        else:
            self._script_or_file(program)
            self.files(args)

    def _without_prefixes(self, words: _Args) -> _Args:
        """Drop what stands before a command's name: `if`, `!`, `NAME=value`."""
        index = 0
        while index < len(words):
            word = words[index]
            if not word.is_quoted and word.text in _OPENING_WORDS:
                self.open_blocks += 1
            if not word.is_quoted and word.text in _CLOSING_WORDS:
                self.open_blocks = max(0, self.open_blocks - 1)
            if not word.is_quoted and word.text == "function":
                index += 2
            elif not word.is_quoted and word.text in _LEADING_WORDS:
                index += 1
            elif _ASSIGNMENT.match(word.text):
                if word.is_plain:
                    self._file(word.text.partition("=")[2])
                index += 1
            else:
                break
        return words[index:]

    def _python(self, args: _Args) -> None:
        index = 0
        while index < len(args):
            word = args[index]
            following = args[index + 1 :]
            if not word.is_plain:
                # `python $FLAGS train.py`: the variable holds options; else it names the script.
                if not (word.is_variable and following and _begins_python_run(following[0])):
                    break
            elif word.text == "--":
                self._python_script(following)
                return
            elif word.text == "-":
                self.files(following)
                return
            elif word.text.startswith("--"):
                if word.text == "--check-hash-based-pycs":
                    index += 1
            elif word.text.startswith("-"):
                option, value = _last_option(word.text, "mc" + _PYTHON_VALUES)
                if option == "m":
                    self._python_module([Word(value), *following] if value else following)
                    return
                if option == "c":
                    self.files(following if value else following[1:])
                    return
                if option and not value:
                    index += 1
            else:
                self._python_script(args[index:])
                return
            index += 1
        self.files(args[index:])

    def _python_module(self, words: _Args) -> None:
        if not words:
            return
        module, args = words[0], words[1:]
        if not module.is_plain or not _DOTTED_NAME.fullmatch(module.text):
            self.files(args)
            return
        self._add("module", module.text)
        if module.text in _LAUNCHER_MODULES:
            self._launcher(args)
        elif module.text == "pytest":
            self._pytest(args)
        else:
            self.files(args)

    def _python_script(self, words: _Args) -> None:
        if not words:
            return
        script = words[0]
        if script.is_plain and (script.text == "." or script.text.endswith("/")):
            # Python runs a folder by the `__main__.py` in it.
            script = Word(posixpath.join(script.text, "__main__.py"))
        self._script(script)
        self.files(words[1:])

    def _launcher(self, args: _Args) -> None:
        """Read `[run] OPTIONS (-m MODULE | SCRIPT) ARGS`, as torchrun and its like take them."""
        if args and args[0].is_plain and args[0].text in _LAUNCHER_COMMANDS:
            args = args[1:]
        runs_module = runs_program = False
        index = 0
        while index < len(args):
            word = args[index]
            option = word.text.lstrip("-").replace("-", "_")
            if not word.is_plain:
                self.files([word])
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
                self.files([word])
            elif index + 1 < len(args) and option not in _LAUNCHER_FLAGS:
                value = args[index + 1]
                if not value.text.startswith("-") and not _is_python_file(value):
                    self.files([value])
                    index += 1
            index += 1
        rest = args[index:]
        if runs_module:
            self._python_module(rest)
        elif runs_program or (rest and not rest[0].text.endswith(_SCRIPT_SUFFIXES)):
            self.run(rest)
        else:
            self._python_script(rest)

    def _accelerate(self, args: _Args) -> None:
        if args and args[0].text == "launch":
            self._launcher(args)
        else:
            self.files(args)

    def _shell(self, args: _Args) -> None:
        index = 0
        runs_text = False
        while index < len(args) and args[index].is_plain and args[index].text[:1] in ("-", "+"):
            text = args[index].text
            if text in ("--rcfile", "--init-file"):
                index += 1
            elif not text.startswith("--"):
                runs_text = runs_text or "c" in text
                if text[-1] in _SHELL_VALUES:
                    index += 1
            elif text == "--":
                index += 1
                break
            index += 1
        rest = args[index:]
        if rest and runs_text:
            self._read_text(rest[:1])
        elif rest:
            self._script(rest[0])
        self.files(rest[1:])

    def _read_text(self, words: _Args) -> None:
        """Read commands that are given as words: `bash -c "…"`, `eval …`."""
        self.read([Group(split_commands(" ".join(word.source or word.text for word in words)))])

    def _interpreter(self, args: _Args) -> None:
        for index, word in enumerate(args):
            if word.is_plain and not word.text.startswith("-"):
                self._script_or_file(word)
                self.files(args[index + 1 :])
                return
            if word.text in ("-e", "-E"):
                self.files(args[index + 2 :])
                return

    def _source(self, args: _Args) -> None:
        for word in args[:1]:
            self._script_or_file(word)
        self.files(args[1:])

    def _pytest(self, args: _Args) -> None:
        for before, word in zip((None, *args), args):
            path, _, _ = word.text.partition("::")
            is_value = before is not None and before.text in _PYTEST_VALUES
            if word.is_plain and path.endswith(".py") and path[:1] != "-" and not is_value:
                self._script(Word(path))
            else:
                self.files([word])

    def _papermill(self, args: _Args) -> None:
        # The first path is the notebook, the second is what papermill writes.
        paths = [word for word in args if word.is_plain and word.text.endswith(".ipynb")]
        for word in args:
            if paths and word is paths[0]:
                self._script(word)
            elif word not in paths[1:2]:
                self.files([word])

    def _wrapper(self, args: _Args) -> None:
        """Read on at the program that a wrapper starts, whatever the wrapper's own options are."""
        start = next((i for i, word in enumerate(args) if _names_a_program(word)), None)
        if start is None:
            start = next((i for i, word in enumerate(args) if word.text.startswith("./")), None)
        if start is None:
            self.files(args)
        else:
            self.files(args[:start])
            self.run(args[start:])

    def _cd(self, args: _Args) -> None:
        target = next((word for word in args if word.text not in ("-P", "-L", "--", "-e")), None)
        if self.folder is None or self.open_blocks or self.is_alternative:
            self.folder = None
        elif target is None or not _is_relative(target) or target.text == "-":
            self.folder = None
        else:
            self.folder = _normal(posixpath.join(self.folder, target.text))

    def _pushd(self, args: _Args) -> None:
        self.pushed.append(self.folder)
        self._cd(args)

    def _popd(self, args: _Args) -> None:
        self.folder = self.pushed.pop() if self.pushed and not args else None

    def _nothing(self, args: _Args) -> None:
        """Text that is shown, not read."""

    # What is found.

    def files(self, words: _Args) -> None:
        for word in words:
            if not word.is_plain:
                continue
            name, equals, value = word.text.partition("=")
            if not equals or not name.startswith("-"):
                self._file(word.text)
            if equals:
                self._file(value)

    def _file(self, text: str) -> None:
        if not _is_relative(Word(text)) or not _looks_like_a_path(text):
            return
        self._add("file", _normal(posixpath.join(self.folder or "", text)))

    def _script(self, word: Word) -> None:
        if not _is_relative(word):
            return
        if self.folder is None:
            self._file(word.text)
        else:
            self._add("script", _normal(posixpath.join(self.folder, word.text)))

    def _script_or_file(self, word: Word) -> None:
        # A program without such a suffix may come out of a step before: `make && ./train`.
        if word.text.endswith(_SCRIPT_SUFFIXES):
            self._script(word)
        else:
            self.files([word])

    def _add(self, kind: Kind, value: str) -> None:
        if value and value != ".":
            self.found.append(EntryPoint(kind, value))


def _begins_python_run(word: Word) -> bool:
    return word.text.startswith("-") or _is_python_file(word)


def _is_python_file(word: Word) -> bool:
    return word.is_plain and word.text.endswith(_PYTHON_SUFFIXES)


def _last_option(cluster: str, valued: str) -> tuple[str, str]:
    """Return the first option of `-abc` that takes a value, and the part of it that is attached."""
    for index, letter in enumerate(cluster[1:], start=1):
        if letter in valued:
            return letter, cluster[index + 1 :]
    return "", ""


def _names_a_program(word: Word) -> bool:
    if not word.is_plain:
        return bool(_PYTHON_VARIABLE.match(word.text))
    name = posixpath.basename(word.text)
    return (
        name in _PROGRAMS
        or bool(_PYTHON.fullmatch(name))
        or (word.text.endswith(_SCRIPT_SUFFIXES) and not word.text.startswith("-"))
    )


def _is_relative(word: Word) -> bool:
    text = word.text
    return bool(
        word.is_plain
        and text
        and text[0] not in "/~-"
        and not _URL.match(text)
        and "\n" not in text
        and "\0" not in text
    )


def _looks_like_a_path(text: str) -> bool:
    return "/" in text or bool(_SUFFIX.search(text))


def _normal(path: str) -> str:
    return posixpath.normpath(path)


_Handler = Callable[[_Reader, _Args], None]
_PROGRAMS: dict[str, _Handler] = {
    **dict.fromkeys(_SHELLS, _Reader._shell),
    **dict.fromkeys(_INTERPRETERS, _Reader._interpreter),
    **dict.fromkeys(_SOURCES, _Reader._source),
    **dict.fromkeys(_WRAPPERS, _Reader._wrapper),
    **dict.fromkeys(_LAUNCHERS, _Reader._launcher),
    "accelerate": _Reader._accelerate,
    "pytest": _Reader._pytest,
    "papermill": _Reader._papermill,
    "eval": _Reader._read_text,
    "cd": _Reader._cd,
    "pushd": _Reader._pushd,
    "popd": _Reader._popd,
    "echo": _Reader._nothing,
    "printf": _Reader._nothing,
}
