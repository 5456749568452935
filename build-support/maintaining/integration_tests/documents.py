"""Read the pages of this repository: their links and their blocks of commands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scratch import repository_root

GLOBS = (
    *("README.md", "docs/**/*.md", "data/*.md", "notebooks/*.md"),
    *("build-support/*.md", "build-support/*/*.md", "build-support/maintaining/*/*.md"),
)

_FENCE = re.compile(r"\s*```(\w*)")
# A comment on the line before a block says what happens with it; without one, its commands run.
NEEDS_AZURE, NEEDS_DOCKER = "needs Azure", "needs Docker"
RUN_BY, NOT_RUN = "run by ", "not run: "
_MARKER = re.compile(rf"\s*<!-- ({NEEDS_AZURE}|{NEEDS_DOCKER}|{RUN_BY}\w+|{NOT_RUN}.+) -->")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"(`+)(.*?)\1")
_HEADING = re.compile(r"#+ (.*)")


@dataclass(frozen=True)
class Block:
    """A fenced block; `marker` says which test runs its commands, or why none does.

    `run by NAME` is a test or a fixture of this name, which calls `commands_run_by(NAME)`.
    """

    line: int
    language: str
    lines: tuple[str, ...]
    marker: str | None

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands, which follow `$ `; all other lines are output."""
        return tuple(self.outputs)

    @property
    def outputs(self) -> dict[str, tuple[str, ...]]:
        """For each command, the lines that the page shows below it."""
        text = "\n".join(line.strip() for line in self.lines).replace("\\\n", "")
        found: dict[str, list[str]] = {}
        below: list[str] = []
        for line in text.splitlines():
            if line.startswith("$ "):
                below = found.setdefault(line[2:], [])
            elif line:
                below.append(line)
        return {command: tuple(lines) for command, lines in found.items()}


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


def marked(marker: str | None) -> dict[str, Block]:
    """Return the blocks of commands with this marker, by page and line."""
    root = repository_root()
    return {
        f"{page.relative_to(root)}:{block.line}": block
        for page in pages(root)
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.commands and block.marker == marker
    }


def commands_run_by(name: str) -> list[str]:
    """Return the commands of the blocks marked `run by NAME`, in the order of the pages."""
    found = [command for block in marked(RUN_BY + name).values() for command in block.commands]
    assert found, f"no block is marked `{RUN_BY}{name}`"
    return found


def first_not_printed(shown: Sequence[str], output: str) -> str:
    """Return the first line of `shown` that is missing in `output`, in this order, or "".

    Digits may differ, in numbers and in names made of digests; `...` and `…` match anything.
    """
    # In a terminal, Pants' progress may stand in a line before it is erased.
    lines = iter([line.rpartition("\x1b[2K")[2].strip() for line in output.splitlines()])
    for line in shown:
        if line not in ("...", "…") and not any(map(_pattern(line).fullmatch, lines)):
            return line
    return ""


def _pattern(shown: str) -> re.Pattern[str]:
    parts = []
    for part in re.split(r"(\.\.\.|…|\b[0-9a-f]{8}\b|[0-9]+(?:[.,][0-9]+)*|\s+)", shown):
        if part in ("...", "…"):
            parts.append(".*")
        elif re.fullmatch(r"[0-9a-f]{8}", part):
            parts.append("[0-9a-f]{8}")
        elif part[:1].isdigit():
            parts.append("[0-9.,]+")
        else:
            parts.append(r"\s+" if part.isspace() else re.escape(part))
    return re.compile("".join(parts))


def links(text: str) -> list[str]:
    """Return the targets of all links outside code."""
    return _LINK.findall(_CODE.sub("", "\n".join(_prose(text))))


def commands_in_text(text: str) -> list[str]:
    """Return the commands of `./pants` in running text and tables."""
    spans = (span for line in _prose(text) for _, span in _CODE.findall(line))
    return [span for span in spans if span.startswith("./pants ")]


def anchors(text: str) -> set[str]:
    """Return the names for links to a page's headings, as GitHub makes them."""
    headings = (_HEADING.fullmatch(line) for line in _prose(text))
    kept = (re.sub(r"[^\w\- ]", "", found.group(1)) for found in headings if found)
    return {heading.lower().replace(" ", "-") for heading in kept}


def broken_links(page: Path, root: Path) -> list[str]:
    """Return the relative links without a file or heading, and those out of the repository."""
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
