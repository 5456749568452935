"""Refuse a recorded diff that has secrets: what was removed in the work tree is still in it."""

from __future__ import annotations

import base64
import posixpath
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from azureml_jobs.bundle.git_command import git_text
from azureml_jobs.bundle.known import KnownTexts, known_texts
from azureml_jobs.bundle.suspicions import Allowed, Secret, Suspicion, is_plain_text, judge

_HUNK = re.compile(rb"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_FILE = re.compile(rb"^(?:--- a|\+\+\+ b)/(.*?)\t?$", re.MULTILINE)
_BINARY = re.compile(rb"^(?:literal|delta) \d+\n((?:.+\n)*)", re.MULTILINE)
# A line without an end is followed by a remark, which begins with a backslash.
_REMOVED = re.compile(rb"^-(.*(?:\n(?!\\))?)", re.MULTILINE)
_THERE = re.compile(rb"^[+ ](.*(?:\n(?!\\))?)", re.MULTILINE)
_REMEDY = (
    "The record of a job has a diff from the last commit. Commit the removal, and the diff no "
    "longer has it.\nThe secret is still in git's history: replace it where it is valid. If it is "
    "harmless, add\n`--allow PATH`: docs/security.md."
)


def check_diff(
    diff: bytes, repository: Path, where: str, allow: Sequence[str]
) -> tuple[Allowed, ...]:
    """Return what the user has allowed in a diff of git; raise `JobError` for other secrets.

    Paths are from the top of git's work tree; the user may also name them from the folder of the
    repository in there.
    """
    with known_texts() as known:
        files = diff.split(b"\ndiff --git ")
        suspicions = [each for file in files for each in _in_file(file, known)]
    place = git_text(repository, "rev-parse", "--show-prefix") if suspicions else ""
    from_top = [posixpath.join(place, path) for path in allow if path]
    what = "the diff that is recorded with the job has what looks like a secret:"
    return judge(suspicions, [*allow, *from_top], where, what, _REMEDY)


def _in_file(diff: bytes, known: KnownTexts) -> Iterator[Suspicion]:
    head, mark, hunks = diff.partition(b"\n@@ ")
    hunks = mark + hunks + b"\n"
    names = _FILE.findall(head) or [head.partition(b"\n")[0].rpartition(b" b/")[2]]
    path = names[-1].decode("utf-8", "replace")
    for side, lines, note in ((1, _REMOVED, " (removed, and in the last commit)"), (2, _THERE, "")):
        # Of a new file it is the content, which was searched before.
        secrets = _search(b"".join(lines.findall(hunks)), path, known)
        numbers = _numbers(hunks, side) if secrets else []
        for secret in secrets:
            number = numbers[secret.line - 1]
            yield Suspicion(path, secret.kind + note, number, secret.is_marked)
    for change in () if mark else _BINARY.findall(head):
        for secret in _search(_inflated(change), path, known):
            yield Suspicion(path, secret.kind, is_marked=secret.is_marked)


def _search(text: bytes, path: str, known: KnownTexts) -> list[Secret]:
    return known.in_text(text, is_plain_text(path)) if text else []


def _numbers(hunks: bytes, side: int) -> list[int]:
    """Return the number in its file of each line that is removed (1) or there after it (2)."""
    numbers, number = [], 0
    for line in hunks.split(b"\n"):
        if hunk := _HUNK.match(line):
            number = int(hunk[side])
        elif line.startswith((b" ", b"-" if side == 1 else b"+")):
            if side == 2 or line.startswith(b"-"):
                numbers.append(number)
            number += 1
    return numbers


def _inflated(change: bytes) -> bytes:
    """Return the bytes of a binary change.

    Of a change that git shortens, these are the bytes that the other side does not have. The first
    letter of a line is the count of its bytes: A to Z are 1 to 26, a to z are 27 to 52.
    """
    lines = change.splitlines()
    counts = (line[0] - 64 if line[0] < 97 else line[0] - 70 for line in lines)
    parts = (base64.b85decode(line[1:])[:count] for line, count in zip(lines, counts))
    return zlib.decompress(b"".join(parts))
