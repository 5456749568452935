"""Programs that install packages, and that run code among those: pip, uv, conda and the like."""

from __future__ import annotations

import posixpath
import re
from functools import partial

from azureml_jobs.jobfile.command.arguments import Argument
from azureml_jobs.jobfile.command.python import install_folder, run_wrapper
from azureml_jobs.jobfile.command.shell import Arguments, Program, Shell
from azureml_jobs.jobfile.paths import leads_out

_INSTALL = ("add", "create", "download", "install", "sync", "update", "upgrade", "wheel")
_SUBCOMMANDS = {"run", *_INSTALL, "python", "tool", "venv", "build", "cache", "init", "list"}
_EDITABLE = ("-e", "--editable")
_LIST_OPTIONS = ("-r", "--requirement", "-c", "--constraint")
LIST_SUFFIXES = (".txt", ".in")
_FILE_OPTIONS = ("-f", "--file", "--find-links")
_COMMENT = re.compile(r"(^|\s)#.*")
_EXTRAS = re.compile(r"\[[^]]*\]$")
_ADDRESS = re.compile(r"\w[\w+.-]*:|@")
_FILE_SUFFIX = re.compile(r"\.(txt|in|ya?ml|toml|lock|whl|gz|bz2|zip|tar)$")


def _manage(files: tuple[str, ...], shell: Shell, args: Arguments) -> None:
    """Read `OPTIONS (run PROGRAM | install PACKAGES | …)`; `files` are read unasked."""
    index = next((i for i, word in enumerate(args) if word.text in _SUBCOMMANDS), len(args))
    subcommand = args[index].text if index < len(args) else ""
    # `eval "$(conda shell.bash hook)"` changes nothing that matters here.
    shell.output = ""
    with shell.subshell() as inner:
        for option, value in zip(args, args[1:]):
            if option.text == "--directory":
                inner.change_folder(value)
        if subcommand in ("run", *_INSTALL):
            shell.found.installs_packages = True
            inner.name_files([Argument(name) for name in files])
            if files and not leads_out(inner.folder):
                # They install the project in the working folder, too.
                shell.found.installed += [inner.folder, posixpath.join(inner.folder, "src")]
        if subcommand == "run":
            run_wrapper(inner, args[index + 1 :], takes_module=True)
        elif subcommand in _INSTALL:
            _install(inner, args[index + 1 :])


def _install(shell: Shell, args: Arguments) -> None:
    option = ""
    for word in args:
        value = word.text
        if word.is_option:
            option, _, value = word.text.partition("=")
        is_folder = option in _EDITABLE or value.startswith(".") or "/" in value
        if option in _LIST_OPTIONS and value.endswith(LIST_SUFFIXES):
            with shell.doubt():
                shell.start_script(Argument(value), is_read=True)
        elif value and (option in (*_LIST_OPTIONS, *_FILE_OPTIONS) or _FILE_SUFFIX.search(value)):
            shell.name_files([Argument(value, has_glob=word.has_glob)])
        elif value and is_folder and word.is_plain and not _ADDRESS.search(value):
            install_folder(shell, shell.path(_EXTRAS.sub("", value)))
        if not word.is_option or value:
            option = ""


def read_requirements(shell: Shell, text: str, folder: str) -> None:
    """Read a list of requirements in `folder`; the shell's own is that of the command."""
    folder_of_command = shell.folder
    for line in text.splitlines():
        words = [Argument(word) for word in _COMMENT.sub("", line).split()]
        is_list = bool(words) and words[0].text.partition("=")[0] in _LIST_OPTIONS
        shell.folder = folder if is_list else folder_of_command
        _install(shell, words)


_PROJECT_FILES = {
    "uv": ("pyproject.toml", "uv.lock", "uv.toml", "README.md"),
    "poetry": ("pyproject.toml", "poetry.lock", "README.md"),
    "pdm": ("pyproject.toml", "pdm.lock", "README.md"),
    "pixi": ("pixi.toml", "pixi.lock", "pyproject.toml"),
    "pipenv": ("Pipfile", "Pipfile.lock"),
}
_OTHERS = ("apt", "apt-get", "conda", "mamba", "micromamba", "pip", "pip3")
MANAGERS: dict[str, Program] = {
    **{name: partial(_manage, files) for name, files in _PROJECT_FILES.items()},
    **dict.fromkeys(_OTHERS, partial(_manage, ())),
}
