"""Read a list of requirements, and refuse the lines from which no lock and no image can be made."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from azureml_jobs.base.credentials import has_credentials, without_credentials
from azureml_jobs.base.errors import JobError

# As pip reads them.
_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION_BEHIND = re.compile(r"\s(--?[a-zA-Z][\w-]*)")
_ADDRESS = re.compile(r"(?:^|@\s*)((?:[a-zA-Z+]+:|git\+).*)")
_LOCAL = re.compile(r"[./~]|[^\s;@]*[/\\]|[^\s;@]*\.(whl|zip|tar\.gz)(\s|;|$)")

_IN_PANTS_TOML = (
    "Set it for `./pants` in pants.toml: docs/environments.md#a-package-that-is-not-on-the-"
    "package-index."
)
_NOT_ON_THE_INDEX = (
    "An image cannot be built from it. Build its wheel and put that on your package index, or put "
    "its code below `src/`: docs/environments.md#a-package-that-is-not-on-the-package-index."
)
_REMEDIES = {
    ("-r", "--requirement"): "Write the lines of that file here.",
    ("-c", "--constraint"): "Write the limits of that file behind the names here.",
    ("-e", "--editable"): _NOT_ON_THE_INDEX,
    (
        *("-f", "--find-links", "-i", "--index-url", "--extra-index-url", "--no-index"),
        *("--trusted-host", "--no-binary", "--only-binary"),
    ): _IN_PANTS_TOML,
    ("--hash", "--require-hashes"): "Remove it: the lock has the hashes of all packages.",
    ("--pre",): "Remove it, and write a limit with the wanted release, such as `x>=2.0rc1`.",
}
_REMEDY_OF = {option: remedy for options, remedy in _REMEDIES.items() for option in options}


def read_package_list(path: str, text: str) -> tuple[tuple[int, str], ...]:
    """Return the requirements with the number of their line.

    Raises a `JobError` that names all lines which cannot be used, without credentials in them.
    """
    found = []
    refused: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, line in _logical_lines(text):
        problem = _problem(line)
        if problem:
            refused[problem].append(number)
        else:
            found.append((number, line))
    errors = [
        JobError(f"{path}:{', '.join(map(str, numbers))}", what, remedy)
        for (what, remedy), numbers in refused.items()
    ]
    if errors:
        first, *others = errors
        raise JobError(first.where, first.what, "\n\n".join([first.remedy, *map(str, others)]))
    return tuple(found)


def bad_requirement(path: str, number: int, line: str, why: str) -> JobError:
    """Return the error that a line is not a requirement; `why` is the parser's reason."""
    return JobError(
        f"{path}:{number}",
        f"`{without_credentials(line)}` is not a requirement: {why.strip().rstrip('.')}",
        "Write a package's name with limits, such as `lightgbm>=4.6,<5`.",
    )


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines without comments, joined where one ends with a backslash."""
    parts: list[str] = []
    start = 1
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        continues = line.endswith("\\") and not line.lstrip().startswith("#")
        if not parts:
            start = number
        parts.append(line[:-1] if continues else line)
        if not continues:
            yield from _without_comment(start, parts)
            parts = []
    yield from _without_comment(start, parts)


def _without_comment(number: int, parts: list[str]) -> Iterator[tuple[int, str]]:
    joined = _COMMENT.sub("", "".join(parts)).strip()
    if joined:
        yield number, joined


def _problem(line: str) -> tuple[str, str] | None:
    """Return what is wrong with a line and what to write instead, None if it is a requirement."""
    if line.startswith("-"):
        return _option_problem(line)
    address = _ADDRESS.search(line)
    shown = without_credentials(line)
    if address:
        return _address_problem(address[1], shown, is_named=address.start() > 0)
    if _LOCAL.match(line):
        return f"`{shown}` is not on the package index", _NOT_ON_THE_INDEX
    behind = _OPTION_BEHIND.search(line)
    return _option_problem(behind[1]) if behind else None


def _option_problem(line: str) -> tuple[str, str]:
    option = re.split(r"[\s=]", line, maxsplit=1)[0]
    short = option if option.startswith("--") else option[:2]
    return f"the option `{short}` has no effect here", _REMEDY_OF.get(short, "Remove it.")


def _address_problem(address: str, shown: str, is_named: bool) -> tuple[str, str] | None:
    if not address.startswith(("http:", "https:")):
        return f"`{shown}` is not on the package index", _NOT_ON_THE_INDEX
    if has_credentials(address):
        return f"`{shown}` has credentials, which would be in the lock", _NOT_ON_THE_INDEX
    if not is_named:
        return f"`{shown}` names no package", f"Write the name before it: `NAME @ {shown}`."
    return None
