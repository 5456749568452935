"""What bash itself does, and small programs of which the output is known."""

from __future__ import annotations

import posixpath
from functools import partial

from azureml_jobs.jobfile.command.arguments import UNKNOWN, Argument
from azureml_jobs.jobfile.command.shell import Arguments, Program, Shell


def _cd(shell: Shell, args: Arguments) -> None:
    options = ("-P", "-L", "--", "-e")
    shell.change_folder(next((word for word in args if word.text not in options), None))


def _pushd(shell: Shell, args: Arguments) -> None:
    shell.pushed_folders.append(shell.absolute(""))
    _cd(shell, args)


def _popd(shell: Shell, args: Arguments) -> None:
    if shell.pushed_folders:
        shell.change_folder(Argument(shell.pushed_folders.pop()))


def _declare(shell: Shell, args: Arguments, *, exports: bool = False) -> None:
    exports = exports or any(word.is_option and "x" in word.text for word in args)
    shell.assign([word for word in args if not word.is_option], exports=exports)


def _unset(shell: Shell, args: Arguments) -> None:
    for word in args:
        shell.variables.pop(word.text, None)


def _eval(shell: Shell, args: Arguments) -> None:
    shell.read(shell.split(" ".join(word.text for word in args)))


def _source(shell: Shell, args: Arguments) -> None:
    if args and args[0].is_script:
        shell.start_script(args[0], is_read=True)
        args = args[1:]
    shell.name_files(args)


def _echo(shell: Shell, args: Arguments) -> None:
    shell.output = " ".join(word.text for word in args if word.text not in ("-e", "-n")) + "\n"
    if any(word.text == "-e" for word in args):
        shell.output = shell.output.replace("\\n", "\n").replace("\\t", "\t")


def _cat(shell: Shell, args: Arguments) -> None:
    shell.output = shell.standard_input if not args else None
    shell.name_files(args)


def _tee(shell: Shell, args: Arguments) -> None:
    for word in args:
        shell.make(word, shell.standard_input)


def _ls(shell: Shell, args: Arguments) -> None:
    shell.name_files([word for word in args if shell.path(word.text)])


def _pwd(shell: Shell, args: Arguments) -> None:
    shell.output = shell.absolute("")


def _name_path(shell: Shell, args: Arguments, *, is_folder: bool = False) -> None:
    for word in args[-1:]:
        found = posixpath.dirname(word.text) or "." if is_folder else shell.absolute(word.text)
        shell.output = found if word.is_plain else UNKNOWN


def _which(shell: Shell, args: Arguments) -> None:
    shell.output = args[-1].text if args else None


def _ignore(shell: Shell, args: Arguments) -> None:
    """Its arguments name no file that must be there."""


BUILTINS: dict[str, Program] = {
    "cd": _cd,
    "pushd": _pushd,
    "popd": _popd,
    "export": partial(_declare, exports=True),
    **dict.fromkeys(("declare", "local", "readonly", "typeset"), _declare),
    "unset": _unset,
    "eval": _eval,
    **dict.fromkeys(("source", "."), _source),
    "echo": _echo,
    "cat": _cat,
    "tee": _tee,
    "ls": _ls,
    "pwd": _pwd,
    "dirname": partial(_name_path, is_folder=True),
    **dict.fromkeys(("realpath", "readlink"), _name_path),
    "which": _which,
    **dict.fromkeys(("alias", "mkdir", "printf", "rm", "touch", "type"), _ignore),
}
