"""Names file and line of each error in a BUILD file, and leaves out links that Pants cannot read.

Of an error in a BUILD file Pants names no folder, and of one in a macro no line. An absolute
symbolic link anywhere in the repository ends most of its commands with an internal error. Pants has
no hook for either, so this wraps functions of it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import traceback
from pathlib import Path

from azureml_jobs.base.nearest import nearest
from pants.base.build_environment import get_buildroot
from pants.bin.local_pants_runner import LocalPantsRunner
from pants.engine.internals.parser import ParseError, Parser
from pants.engine.internals.scheduler import ExecutionError
from pants.option.global_options import GlobalOptions
from pants.pantsd.pants_daemon_core import PantsDaemonCore


class _Links:
    """The absolute links that Pants leaves out, and whether it has met another one since."""

    left_out: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    outdated = False


def absolute_links(root: Path) -> list[str]:
    """Return the absolute symbolic links that git does not ignore: nor does Pants."""
    files = "git ls-files -z --cached --others --exclude-standard".split()
    listed = subprocess.run(files, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return [each for each in os.fsdecode(listed.stdout).split("\0") if _is_absolute(root, each)]


def _is_absolute(root: Path, path: str) -> bool:
    return os.path.islink(root / path) and os.path.isabs(os.readlink(root / path))


def _pattern(link: str) -> str:
    return re.sub(r"([][\\*?!# ])", r"\\\1", f"/{link}")


def _message(link: str, what: str) -> str:
    return (
        f"{link}: an absolute symbolic link, which Pants {what}. Make it relative (`ln -sr`), or "
        f"add `{_pattern(link)}` to `pants_ignore` in pants.toml."
    )


_compute_pants_ignore = GlobalOptions.compute_pants_ignore


def _ignore(root: str, options) -> list[str]:
    patterns = _compute_pants_ignore(root, options)
    _Links.outdated = False
    _Links.left_out = tuple(
        each for each in absolute_links(Path(root)) if _pattern(each) not in patterns
    )
    _Links.ignored = (*patterns, *map(_pattern, _Links.left_out))
    return list(_Links.ignored)


def _prepare(core: PantsDaemonCore, *arguments, _pants=PantsDaemonCore.prepare):
    root = Path(get_buildroot())
    if _Links.outdated or not all(_is_absolute(root, each) for each in _Links.left_out):
        # Pants makes another scheduler, and asks what to ignore.
        core._scheduler = None
    return _pants(core, *arguments)


def _run(runner: LocalPantsRunner, goals, _pants=LocalPantsRunner._perform_run) -> int:
    for link in _Links.left_out:
        print(f"pants: {_message(link, 'leaves out')}", file=sys.stderr)
    try:
        return _pants(runner, goals)
    except ExecutionError as error:
        lines = [
            f"{each.filename}:{each.lineno}: {each.msg}"
            for each in error.wrapped_exceptions
            if isinstance(each, SyntaxError)
        ]
        if "Absolute symlink" in str(error):
            _Links.outdated = True
            links = absolute_links(Path(get_buildroot()))
            new = [each for each in links if _pattern(each) not in _Links.ignored]
            lines += [_message(each, "cannot read") for each in new]
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
