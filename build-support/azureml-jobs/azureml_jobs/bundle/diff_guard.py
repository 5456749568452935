"""Refuse a recorded diff that has secrets: what was removed in the work tree is still in it."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from azureml_jobs.bundle.known import KnownTexts, known_texts
from azureml_jobs.bundle.suspicions import Allowed, Suspicion, is_plain_text, judge

_HUNK = re.compile(rb"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_BINARY = re.compile(rb"(?:literal|delta) \d+$")
_REMEDY = (
    "The record of a job has a diff from the last commit. Commit the removal, and the diff no "
    "longer has it.\nThe secret is still in git's history: replace it where it is valid. If it is "
    "harmless, add\n`--allow PATH`: docs/security.md."
)


@dataclass
class _Side:
    """Lines of one file, removed or not, with their numbers before or after the change."""

    lines: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def add(self, line: bytes, number: int) -> None:
        self.lines.append(line)
        self.numbers.append(number)


def check_diff(diff: bytes, where: str, allow: Sequence[str] = ()) -> tuple[Allowed, ...]:
    """Return what the user has allowed in a diff of git; raise `JobError` for other secrets.

    Paths are from the top of git's work tree; the user may name them from the folder of the
    repository in there.
    """
    parts = filter(None, re.split(rb"^(?=diff --git )", diff, flags=re.MULTILINE))
    with known_texts() as known:
        suspicions = [each for part in parts for each in _in_file(part.split(b"\n"), known)]
    below = [
        each.path
        for each in suspicions
        if any(f"/{each.path}".endswith(f"/{path}") for path in allow)
    ]
    what = "the diff that is recorded with the job has what looks like a secret:"
    return judge(suspicions, [*allow, *below], where, what, _REMEDY)


def _in_file(lines: Sequence[bytes], known: KnownTexts) -> Iterator[Suspicion]:
    path, before, after, old, new = "", _Side(), _Side(), 0, 0
    for number, line in enumerate(lines):
        if hunk := _HUNK.match(line):
            old, new = int(hunk[1]), int(hunk[2])
        elif not old and not new:
            if line.startswith((b"--- a/", b"+++ b/")):
                path = line[6:].rstrip(b"\t").decode("utf-8", "replace")
            elif _BINARY.match(line):
                path = path or lines[0].rpartition(b" b/")[2].decode("utf-8", "replace")
                after.add(_inflated(lines[number + 1 :]), 0)
        elif line.startswith(b"-"):
            before.add(line[1:], old)
            old += 1
        elif line.startswith((b"+", b" ")):
            after.add(line[1:], new)
            old, new = old + line.startswith(b" "), new + 1
    yield from _of_side(path, before, "removed, and in the last commit", known)
    yield from _of_side(path, after, "", known)


def _of_side(path: str, side: _Side, note: str, known: KnownTexts) -> Iterator[Suspicion]:
    if not side.lines:
        return
    numbers = [
        number
        for line, number in zip(side.lines, side.numbers)
        for _ in range(line.count(b"\n") + 1)
    ]
    for secret in known.in_text(b"\n".join(side.lines), is_plain_text(path)):
        what = f"{secret.kind} ({note})" if note else secret.kind
        yield Suspicion(path, what, numbers[secret.line - 1], secret.is_marked)


def _inflated(lines: Sequence[bytes]) -> bytes:
    """Return the bytes of a binary change, up to its empty line.

    Of a change that git shortens, these are the bytes that the other side does not have. The first
    letter of a line is the count of its bytes: A to Z are 1 to 26, a to z are 27 to 52.
    """
    data = b""
    for line in lines[: lines.index(b"")]:
        count = line[0] - 64 if line[0] < 97 else line[0] - 70
        data += base64.b85decode(line[1:])[:count]
    return zlib.decompress(data)
