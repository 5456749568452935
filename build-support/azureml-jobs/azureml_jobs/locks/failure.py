"""What pip said when it found no packages that fit, inside of what pex printed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from azureml_jobs.base.errors import JobError, OutsideError

# pex shows each line of pip's behind this. Its own line above holds the whole command with the URL
# of the index, and a password in that.
_PIP = "pip: "
_PASSWORD = re.compile(r"//[^/@\s]+@")
_OUTSIDE = re.compile(
    r"Retry\(total=0,"
    r"|Max retries exceeded"
    r"|problem confirming the ssl certificate"
    r"|HTTP error \d+"
    r"|ReadTimeoutError"
    r"|No space left on device"
)
# What went wrong below, in an exception's text within that of others.
_REASON = re.compile(r">: (?P<why>[^')]+)")
_NO_RELEASE = re.compile(
    r"Could not find a version that satisfies the requirement (?P<requirement>.+?)"
    r"(?P<parent> \(from (?!versions: )[^()]+\))? \(from versions: (?P<versions>.*)\)$"
)
_CAUSES = "The conflict is caused by:"
_HELD = re.compile(r"The user requested \(constraint\) (?P<name>[^\s=<>!~;\[]+)")
_PARENT = re.compile(r"(?P<name>[^\s=<>!~;\[]+)(\[[^]]*\])? \S+ depends on ")
_FEW = 5


def held_packages(output: str) -> tuple[frozenset[str], frozenset[str]]:
    """Names in a conflict: of the packages that were held, and of those that ask for others."""
    causes = list(_causes(output))
    return (
        frozenset(found["name"] for found in map(_HELD.match, causes) if found),
        frozenset(found["name"] for found in map(_PARENT.match, causes) if found),
    )


def is_outside(output: str) -> bool:
    """Whether the package index was not reached: then pip's reasons say nothing."""
    return any(_OUTSIDE.search(line) for line in _said(output))


def is_hopeless(output: str) -> bool:
    """Whether it is no matter what is held: a package is not there, or the user asks for both."""
    if is_outside(output):
        return True
    found = [match for match in map(_NO_RELEASE.search, _said(output)) if match]
    causes = list(_causes(output))
    return any(match["versions"] == "none" or not match["parent"] for match in found) or (
        bool(causes) and not any(_HELD.match(cause) or _PARENT.match(cause) for cause in causes)
    )


def as_error(where: str, resolve: str, output: str) -> JobError:
    """What to tell the user. `where` names the requirements, `output` is what pex printed."""
    if is_outside(output):
        *_, last = (line for line in _said(output) if _OUTSIDE.search(line))
        why = _REASON.search(last)
        return OutsideError(
            where,
            f"the package index did not answer: {why['why'] if why else last}",
            "Nothing was written. Try again when pip can reach the index.",
        )
    for line in _said(output):
        found = _NO_RELEASE.search(line)
        if found:
            return _no_release(where, found["requirement"], found["versions"])
    causes = "\n".join(f"  {cause}" for cause in _causes(output))
    if causes:
        return JobError(
            where,
            "these requirements contradict each other",
            f"{causes}\n\nChange one of them. An experiment that needs other versions than the "
            "rest gets its own resolve: docs/environments.md.",
        )
    said = list(_said(output)) or _PASSWORD.sub("//***@", output).strip().splitlines()
    reason = "\n".join(f"  {line}" for line in said[-12:])
    return OutsideError(
        where,
        f"the packages of the resolve `{resolve}` could not be chosen",
        f"pip says:\n{reason}",
    )


def _no_release(where: str, requirement: str, versions: str) -> JobError:
    listed = [] if versions == "none" else versions.split(", ")
    if not listed:
        return JobError(
            where,
            f"the package index has nothing for `{requirement}`",
            "Check the package's name. It may be there for another Python or system only.",
        )
    newest = ", ".join(listed[-_FEW:])
    return JobError(
        where,
        f"no release fits `{requirement}`",
        f"Write limits that one of these keeps, the last ones: {newest}.",
    )


def _said(output: str) -> Iterator[str]:
    for line in output.splitlines():
        if line.startswith(_PIP):
            yield _PASSWORD.sub("//***@", line[len(_PIP) :]).rstrip()


def _causes(output: str) -> Iterator[str]:
    is_listed = False
    for line in _said(output):
        if line.strip() == _CAUSES:
            is_listed = True
        elif is_listed and not line.strip():
            return
        elif is_listed:
            yield line.strip()


def bad_line(message: str) -> JobError | None:
    """The mistake in a requirements file, when that is what Pants complains of."""
    found = re.search(
        r"Invalid requirement '(?P<line>.*)' in (?P<path>\S.*?) at line (?P<number>\d+): "
        r"(?P<why>.*)",
        message,
    )
    if found is None:
        return None
    return JobError(
        f"{found['path']}:{found['number']}",
        f"`{found['line'].strip()}` is no requirement: {found['why'].strip().rstrip('.')}",
        "Write a package's name with limits, such as `lightgbm>=4.6,<5`.",
    )
