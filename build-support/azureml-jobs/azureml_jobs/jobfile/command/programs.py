"""The programs whose arguments are known, and what they run."""

from __future__ import annotations

import posixpath
import re
from functools import partial

from azureml_jobs.jobfile.command.arguments import Argument
from azureml_jobs.jobfile.command.builtins import BUILTINS
from azureml_jobs.jobfile.command.packages import MANAGERS
from azureml_jobs.jobfile.command.python import (
    LAUNCHERS,
    PYTHON,
    name_arguments,
    run_python,
    run_script,
    run_unknown,
    run_wrapper,
)
from azureml_jobs.jobfile.command.shell import Arguments, Program, Shell

_PYTHON_VARIABLE = re.compile(r"\"?\$\{?\w*python\w*", re.IGNORECASE)
_ADDRESS = re.compile(r"\w[\w+.-]*:.*/|[\w.-]+@.*/")
_FETCHES = re.compile(r"download|copy|cp|get|pull|sync")


def starts_command(word: Argument) -> bool:
    """Return whether a command begins at this word, although it stands among arguments."""
    name = posixpath.basename(word.text) if word.is_plain else ""
    is_script = word.is_script and word.text.startswith("./")
    return name in _RUNNERS or is_script or PYTHON.fullmatch(name) is not None


def run_program(shell: Shell, words: Arguments) -> None:
    program, args = words[0], words[1:]
    name = posixpath.basename(program.text) if program.is_plain else ""
    known = _PROGRAMS.get(name) or (run_python if PYTHON.fullmatch(name) else None)
    if known is not None:
        known(shell, args)
    elif not program.is_plain and _PYTHON_VARIABLE.match(shell.source):
        run_python(shell, args)
    elif program.is_python_file:
        run_script(shell, words)
    elif program.is_plain and (program.is_script or "/" in program.text):
        # A program without such a suffix may be no script, and may be built by an earlier command.
        with shell.doubt(not program.is_script):
            shell.start_script(program, is_read=True)
        name_arguments(shell, args)
    else:
        if not program.is_plain:
            shell.warn_of_unknown()
        run_unknown(shell, args)


def _run_shell(shell: Shell, args: Arguments) -> None:
    """Read `bash OPTIONS (-c TEXT | SCRIPT) ARGUMENTS`."""
    index = 0
    runs_text = False
    while index < len(args) and args[index].text[:1] in ("-", "+"):
        text = args[index].text
        index += 1
        if text == "--":
            break
        is_long = text.startswith("--")
        runs_text = runs_text or (not is_long and "c" in text)
        # Options that take the next word as their value.
        index += text in ("--rcfile", "--init-file") or (not is_long and text[-1] in "oO")
    words = args[index:] or shell.reads
    if words and runs_text:
        shell.read_text(words[0].text)
    elif words:
        shell.start_script(words[0], is_read=True)
    elif shell.standard_input is not None:
        shell.read_text(shell.standard_input)
    name_arguments(shell, words[1:])


def _run_interpreter(files: tuple[str, ...], shell: Shell, args: Arguments) -> None:
    """Read `julia OPTIONS (SCRIPT | -e TEXT) ARGUMENTS`; `files` are read unasked."""
    shell.name_files([Argument(name) for name in files])
    # The text may name files: `julia -e 'include("run.jl")'`.
    is_text = any(word.text in ("-e", "-E") for word in args)
    words = [] if is_text else [word for word in args if not word.is_option]
    script = next((word for word in words if word.is_script), words[0] if words else None)
    if script is not None:
        shell.start_script(script, is_read=False)
    name_arguments(shell, [word for word in args if word is not script])


def _make(files: tuple[str, ...], shell: Shell, args: Arguments) -> None:
    """Read a program that runs what its own file says."""
    shell.name_files([*(Argument(name) for name in files), *args])
    if shell.is_certain:
        shell.warn("runs commands of a file that is not read")
    _make_here(shell, args)


def _pytest(shell: Shell, args: Arguments) -> None:
    """Name what pytest reads unasked: its settings, and each `conftest.py` on the way to tests."""
    folders = {""}
    for word in args:
        path = posixpath.normpath(word.text.partition("::")[0])
        while path and word.is_plain and not word.is_option and path not in folders:
            folders.add(path)
            path = posixpath.dirname(path)
    names = [*_PYTEST_FILES, *(f"{folder}/conftest.py" for folder in sorted(folders - {""}))]
    shell.name_files([Argument(name) for name in names])
    run_unknown(shell, args)


def _make_last(shell: Shell, args: Arguments) -> None:
    """Read a program that makes what its last argument names: `cp -r conf out`."""
    shell.name_files(args[:-1])
    made = _values(args, ("-O", "-o", "-P", "--output", "--directory-prefix", "-t"))
    for word in args[-1:]:
        names = [posixpath.basename(source.text) for source in args[:-1] if not source.is_option]
        into = [Argument(posixpath.join(word.text, name)) for name in names if name]
        if _ADDRESS.match(word.text):
            made.append(Argument(posixpath.basename(word.text.rstrip("/")).removesuffix(".git")))
        elif word.text in (".", "./") and into and all(each.is_plain for each in into):
            # `cp ${{inputs.x}}/a.py .` makes `a.py`, and nothing else here.
            made += into
        else:
            made.append(word)
    for each in made:
        shell.make(each)


def _values(args: Arguments, options: tuple[str, ...]) -> list[Argument]:
    return [value for option, value in zip(args, args[1:]) if option.text in options]


def _read_subcommand(name: str, shell: Shell, args: Arguments) -> None:
    """Read a program of which a subcommand decides what it does."""
    match name:
        case "command":
            is_question = bool(args) and args[0].text in ("-v", "-V")
            (BUILTINS["which"] if is_question else run_wrapper)(shell, args)
        case "git":
            if any(word.text == "clone" for word in args):
                _make_last(shell, args[-1:])
        case "mlflow" if args and args[0].text == "run":
            _make(("MLproject", "python_env.yaml", "conda.yaml"), shell, args[1:])
        case _ if name in _FETCHERS and any(_FETCHES.match(word.text) for word in args):
            _make_here(shell, args)
        case _:
            name_arguments(shell, args)


def _make_here(shell: Shell, args: Arguments) -> None:
    """Read a program that makes files in the working folder, or in that of an option."""
    shell.name_files(args)
    options = ("-C", "-d", "-o", "--directory", "--destination", "--path", "--output")
    for folder in _values(args, options) or [Argument(".")]:
        shell.make(folder)


_SHELLS = ("bash", "sh", "dash", "zsh", "ksh")
_INTERPRETERS: dict[str, tuple[str, ...]] = {
    "Rscript": (".Rprofile", "renv.lock", "renv/activate.R"),
    "julia": ("Project.toml", "Manifest.toml"),
    "node": ("package.json",),
    "perl": (),
    "ruby": (),
}
_WRAPPERS = (
    *("dumb-init", "env", "exec", "gdb", "horovodrun", "mpiexec", "mpirun", "ncu"),
    *("nice", "nohup", "nsys", "numactl", "py-spy", "ray", "setsid", "srun", "stdbuf"),
    *("strace", "sudo", "taskset", "time", "timeout", "tini", "xargs", "xvfb-run"),
)
_PYTEST_FILES = ("conftest.py", "pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini")
_RUNNERS = {*_SHELLS, *_INTERPRETERS, *LAUNCHERS}
_MAKES_LAST = ("cp", "curl", "ln", "mv", "rsync", "wget")
_MAKES_HERE = ("7z", "gdown", "gunzip", "tar", "unzip")
# Of a cloud.
_FETCHERS = ("aws", "az", "azcopy", "dvc", "gcloud", "gsutil", "huggingface-cli")
_MAKES = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile"),
    "mvn": ("pom.xml", "src"),
    "npm": ("package.json", "package-lock.json"),
    "snakemake": ("Snakefile",),
}

_PROGRAMS: dict[str, Program] = {
    **BUILTINS,
    **MANAGERS,
    **dict.fromkeys(_SHELLS, _run_shell),
    **{name: partial(_run_interpreter, files) for name, files in _INTERPRETERS.items()},
    **dict.fromkeys(_WRAPPERS, run_wrapper),
    **dict.fromkeys(LAUNCHERS - {"uv"}, partial(run_wrapper, takes_module=True)),
    "pytest": _pytest,
    **dict.fromkeys(_MAKES_LAST, _make_last),
    **dict.fromkeys(_MAKES_HERE, _make_here),
    **{name: partial(_read_subcommand, name) for name in ("command", "git", "mlflow", *_FETCHERS)},
    **{name: partial(_make, files) for name, files in _MAKES.items()},
}
