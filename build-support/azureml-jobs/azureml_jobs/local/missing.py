"""Say what to write so that a job has the file or the package that a failed run did not find."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from azureml_jobs.imports.literals import declaration
from azureml_jobs.jobfile.command.code import Code
from azureml_jobs.jobfile.paths import leads_out
from azureml_jobs.local.code_sources import CodeSources
from azureml_jobs.local.output import last_lines
from azureml_jobs.local.record import JobRecord

_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
# Of Python, of Python that starts, and of programs of the shell.
_NO_FILE = re.compile(
    r"No such file or directory: '([^']+)'|can't open file '([^']+)'"
    r"|: ([^\s:']+): No such file or directory"
)
# Other processes of a distributed job may have printed after the one that failed.
_LOG_LINES = 1000


def missing_module(record: JobRecord, log: Path) -> str | None:
    """Return a warning with the line to add, if the log ends with the error of such a module."""
    found = _NO_MODULE.findall(last_lines(log, _LOG_LINES))
    module = found[-1] if found else ""
    for name, address in record.unused_modules.items():
        if f"{name}.".startswith(f"{module}.") or f"{module}.".startswith(f"{name}."):
            build_file = Path(record.address.removeprefix("//").partition(":")[0], "BUILD")
            return (
                f"no import that is followed names `{module}`, so that its package was left out: "
                f'add `dependencies=["{address}"]` in {build_file}'
            )
    return None


def missing_file(log: Path, sources: CodeSources) -> str | None:
    """Return a warning with what to write, if the log ends with the error of such a file."""
    found = _NO_FILE.findall(last_lines(log, _LOG_LINES))
    opened = next(filter(None, found[-1])) if found else ""
    for path in _candidates(opened, sources) if opened else ():
        # False for what no system takes as a name, too: the log can have any text.
        if not os.path.isfile(sources.repository / path):
            continue
        sent = next((name for name, source in sources.files.items() if source == path), None)
        if sent is not None:
            return (
                f"the command starts in another folder than the one of `{opened}`, and finds it as "
                f'`{sent}`; in Python write `Path(__file__).parent / "…"`'
            )
        line = declaration(path, Code("", sources.job_file))
        return f"`{opened}` is not sent, and the repository has it as {path}: write {line}"
    return None


def _candidates(opened: str, sources: CodeSources) -> Iterator[str]:
    """Yield the files of the repository that the code may mean, the likely ones first."""
    name = sources.name_of(opened) if opened.startswith("/") else posixpath.normpath(opened)
    if name is None or leads_out(name):
        return
    folders = list(dict.fromkeys(sources.folders()))
    for here, there in folders:
        if not here or name.startswith(f"{here}/"):
            yield posixpath.join(there, posixpath.relpath(name, here or "."))
    if not opened.startswith("/"):
        # Relative to the folder of the code that opens it, as most people mean it.
        yield from (posixpath.join(there, name) for _, there in folders)
