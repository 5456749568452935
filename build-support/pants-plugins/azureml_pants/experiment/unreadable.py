"""Names file and line of each error in a BUILD file, and leaves out links that Pants cannot read.

Of an error in a BUILD file Pants names no folder, and of one in a macro no line. A symbolic link
anywhere in the repository that is absolute, leads out of it, or leads in a circle ends most of its
commands with an internal error. Pants has no hook for either, so this wraps functions of it.
"""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import traceback
from pathlib import Path

from azureml_jobs.base.nearest import nearest
from azureml_jobs.jobfile.paths import leads_out
from pants.base.build_environment import get_buildroot
from pants.bin.local_pants_runner import LocalPantsRunner
from pants.engine.internals.parser import ParseError, Parser
from pants.engine.internals.scheduler import ExecutionError
from pants.option.global_options import GlobalOptions
from pants.pantsd.pants_daemon_core import PantsDaemonCore


class _Links:
    """The links that Pants leaves out, with what they are, and whether it has met another since."""

    left_out: dict[str, str] = {}
    ignored: tuple[str, ...] = ()
    outdated = False


def unreadable_links(root: Path) -> dict[str, str]:
    """Return what each link is that Pants fails on and that git does not ignore: nor does Pants."""
    files = "git ls-files -z --cached --others --exclude-standard".split()
    listed = subprocess.run(files, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    paths = os.fsdecode(listed.stdout).split("\0")
    return {path: fault for path in paths if (fault := _fault(root, path))}


def _fault(root: Path, path: str) -> str | None:
    """Return what a path is, if it is a symbolic link that Pants fails on."""
    if not os.path.islink(root / path):
        return None
    target = os.readlink(root / path)
    if os.path.isabs(target):
        return "an absolute symbolic link"
    if leads_out(os.path.normpath(os.path.join(os.path.dirname(path), target))):
        return "a symbolic link that leads out of the repository"
    try:
        os.stat(root / path)
    except OSError as error:
        return "a symbolic link that leads in a circle" if error.errno == errno.ELOOP else None
    return None


def _pattern(link: str) -> str:
    return re.sub(r"([][\\*?!# ])", r"\\\1", f"/{link}")


def _message(link: str, fault: str, what: str) -> str:
    remedy = "Make it relative (`ln -sr`)" if "absolute" in fault else "Replace it with the file"
    return (
        f"{link}: {fault}, which Pants {what}. {remedy}, or "
        f"add `{_pattern(link)}` to `pants_ignore` in pants.toml."
    )


_compute_pants_ignore = GlobalOptions.compute_pants_ignore


def _ignore(root: str, options) -> list[str]:
    patterns = _compute_pants_ignore(root, options)
    _Links.outdated = False
    _Links.left_out = {
        link: fault
        for link, fault in unreadable_links(Path(root)).items()
        if _pattern(link) not in patterns
    }
    _Links.ignored = (*patterns, *map(_pattern, _Links.left_out))
    return list(_Links.ignored)


def _prepare(core: PantsDaemonCore, *arguments, _pants=PantsDaemonCore.prepare):
    root = Path(get_buildroot())
    if _Links.outdated or not all(_fault(root, each) for each in _Links.left_out):
        # Pants makes another scheduler, and asks what to ignore.
        core._scheduler = None
    return _pants(core, *arguments)


def _run(runner: LocalPantsRunner, goals, _pants=LocalPantsRunner._perform_run) -> int:
    for link, fault in _Links.left_out.items():
        print(f"pants: {_message(link, fault, 'leaves out')}", file=sys.stderr)
    try:
        return _pants(runner, goals)
    except ExecutionError as error:
        lines = [
            f"{each.filename}:{each.lineno}: {each.msg}"
            for each in error.wrapped_exceptions
            if isinstance(each, SyntaxError)
        ]
        if "Absolute symlink" in str(error) or "While expanding link" in str(error):
            _Links.outdated = True
            links = unreadable_links(Path(get_buildroot())).items()
            new = (each for each in links if _pattern(each[0]) not in _Links.ignored)
            lines += [_message(*each, "cannot read") for each in new]
            lines.append("The next command leaves out what Pants cannot read.")
        if not lines:
            raise
        raise ExecutionError("\n".join(lines)) from None


def _parse(parser: Parser, filepath: str, content: str, symbols, *rest, _pants=Parser.parse):
    try:
        return _pants(parser, filepath, content, symbols, *rest)
    except Exception as error:
        cause, line, hint = error, None, ""
        if isinstance(error, ParseError):
            if not isinstance(error.__context__, NameError):
                raise
            cause = error.__context__
            names = [*parser.symbols, *symbols.symbols]
            # A local variable without a value has no name here.
            near = nearest(cause.name or "", names)
            hint = f". Did you mean {near}?" if near else ""
        for frame in traceback.extract_tb(cause.__traceback__):
            if frame.filename == filepath:
                line = frame.lineno
        raise ParseError(f"{filepath}:{line}: {cause}{hint}") from None


def wrap_pants() -> None:
    """Replace the functions of Pants in this process."""
    for owner, name, function in (
        (GlobalOptions, "compute_pants_ignore", staticmethod(_ignore)),
        (PantsDaemonCore, "prepare", _prepare),
        (LocalPantsRunner, "_perform_run", _run),
        (Parser, "parse", _parse),
    ):
        setattr(owner, name, function)
