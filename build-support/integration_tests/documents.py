"""The pages of this repository: their links and their blocks of commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

GLOBS = ("README.md", "docs/**/*.md", "build-support/decisions/*.md")

_FENCE = re.compile(r"\s*```(\w*)")
# Why a block is not run stands in a comment on the line before it.
_MARKER = re.compile(r"\s*<!-- (needs Azure|not run: .+) -->")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"(`+).*?\1")
_HEADING = re.compile(r"#+ (.*)")


@dataclass(frozen=True)
class Block:
    """A fenced block. `marker` says why its commands are not run; None when they are."""

    line: int
    language: str
    lines: tuple[str, ...]
    marker: str | None

    @property
    def commands(self) -> tuple[str, ...]:
        """What follows `$ `; all else is output."""
        text = "\n".join(line.strip() for line in self.lines).replace("\\\n", "")
        return tuple(line[2:] for line in text.splitlines() if line.startswith("$ "))


def pages(root: Path) -> list[Path]:
    return sorted(path for pattern in GLOBS for path in root.glob(pattern))


def blocks(text: str) -> Iterator[Block]:
    before = ""
    opened: tuple[int, str, str | None] | None = None
    inside: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if fence and opened is None:
            marker = _MARKER.fullmatch(before)
            opened = (number, fence.group(1), marker.group(1) if marker else None)
            inside = []
        elif fence and opened is not None:
            yield Block(opened[0], opened[1], tuple(inside), opened[2])
            opened = None
        elif opened is not None:
            inside.append(line)
        before = line


def links(text: str) -> list[str]:
    """Targets of all links, those in code left out."""
    return _LINK.findall(_CODE.sub("", "\n".join(_prose(text))))


def anchors(text: str) -> set[str]:
    """Names by which a page's headings can be linked to, as GitHub makes them."""
    headings = (_HEADING.fullmatch(line) for line in _prose(text))
    kept = (re.sub(r"[^\w\- ]", "", found.group(1)) for found in headings if found)
    return {heading.lower().replace(" ", "-") for heading in kept}


def broken_links(page: Path, root: Path) -> list[str]:
    """Relative links that lead to no file, out of the repository or to no heading."""
    broken = []
    for link in links(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        is_inside = root.resolve() in (target, *target.parents)
        if not is_inside or not target.exists():
            broken.append(link)
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            broken.append(link)
    return broken


def _prose(text: str) -> Iterator[str]:
    is_code = False
    for line in text.splitlines():
        if _FENCE.match(line):
            is_code = not is_code
        elif not is_code:
            yield line
