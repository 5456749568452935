"""What bash itself does, and small programs of which the output is known."""

from __future__ import annotations

import posixpath
from functools import partial

from azureml_jobs.jobfile.command.arguments import UNKNOWN, Argument
from azureml_jobs.jobfile.command.shell import Arguments, Program, Shell

_DECLARING = ("export", "declare", "local", "readonly", "typeset")
_CHANGING = ("cd", "pushd", "popd", "unset", "eval", "source", ".", *_DECLARING)
_PRINTING = ("echo", "cat", "tee", "ls", "pwd", "dirname", "realpath", "readlink", "which")
# Their arguments name no file that must be there.
_IGNORED = ("alias", "mkdir", "printf", "rm", "touch", "type")


def _change(name: str, shell: Shell, args: Arguments) -> None:
    """Follow what changes the shell itself."""
    match name:
        case "cd" | "pushd":
            if name == "pushd":
                shell.pushed_folders.append(shell.absolute(""))
            options = ("-P", "-L", "--", "-e")
            shell.change_folder(next((word for word in args if word.text not in options), None))
        case "popd":
            if shell.pushed_folders:
                shell.change_folder(Argument(shell.pushed_folders.pop()))
        case "unset":
            for word in args:
                shell.variables.pop(word.text, None)
        case "eval":
            shell.read(shell.split(" ".join(word.text for word in args)))
        case "source" | ".":
            is_script = bool(args) and args[0].is_script
            if is_script:
                shell.start_script(args[0], is_read=True)
            shell.name_files(args[is_script:])
        case _:
            exports = any(word.is_option and "x" in word.text for word in args)
            assigned = [word for word in args if not word.is_option]
            shell.assign(assigned, exports=exports or name == "export")


def _print(name: str, shell: Shell, args: Arguments) -> None:
    """Note the output of a program."""
    last = args[-1] if args else Argument("")
    match name:
        case "echo":
            words = [word.text for word in args if word.text not in ("-e", "-n")]
            shell.output = " ".join(words) + "\n"
            if any(word.text == "-e" for word in args):
                shell.output = shell.output.replace("\\n", "\n").replace("\\t", "\t")
        case "cat":
            shell.output = None if args else shell.standard_input
            shell.name_files(args)
        case "tee":
            for word in args:
                shell.make(word, shell.standard_input)
        case "ls":
            shell.name_files([word for word in args if shell.path(word.text)])
        case "pwd":
            shell.output = shell.absolute("")
        case _ if not args:
            shell.output = None
        case "which":
            shell.output = last.text
        case "dirname":
            shell.output = posixpath.dirname(last.text) or "." if last.is_plain else UNKNOWN
        case "realpath" | "readlink":
            shell.output = shell.absolute(last.text) if last.is_plain else UNKNOWN


def _ignore(shell: Shell, args: Arguments) -> None:
    pass


BUILTINS: dict[str, Program] = {
    **{name: partial(_change, name) for name in _CHANGING},
    **{name: partial(_print, name) for name in _PRINTING},
    **dict.fromkeys(_IGNORED, _ignore),
}
