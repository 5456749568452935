"""Find the images that a Dockerfile is based on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

# https://docs.docker.com/reference/dockerfile/#environment-replacement
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")
# https://docs.docker.com/reference/dockerfile/#here-documents
_HERE_DOCUMENT = re.compile(r"\d*<<-?([\"']?)(\w+)\1")


def base_images(dockerfile: str, build_arguments: Mapping[str, str]) -> tuple[str, ...]:
    """Return the images of all `FROM` lines that are not earlier stages, in order.

    Those with a `--platform` are left out: the builder gets them.
    """
    arguments: dict[str, str] = {}
    stages: set[str] = {"scratch"}
    found: dict[str, None] = {}
    has_begun = False
    for instruction, rest in _instructions(dockerfile):
        if instruction == "ARG" and not has_begun:
            for word in rest.split():
                name, _, default = word.partition("=")
                arguments[name] = build_arguments.get(
                    name, _expanded(default.strip("\"'"), arguments)
                )
        elif instruction == "FROM":
            has_begun = True
            words = rest.split()
            has_platform = words[0].startswith("--")
            image, *named = words[1:] if has_platform else words
            image = _expanded(image, arguments)
            if image.lower() not in stages and not has_platform and image:
                found[image] = None
            if len(named) == 2 and named[0].upper() == "AS":
                stages.add(named[1].lower())
    return tuple(found)


def _instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    # The words that end the here-documents which have begun: their lines may be code of Python.
    ends: list[str] = []
    for line in re.sub(r"[\\`]\n", " ", "\n".join(lines)).splitlines():
        if ends:
            ends = ends[1:] if line.strip() == ends[0] else ends
            continue
        instruction, _, rest = line.strip().partition(" ")
        ends = [found[2] for found in map(_HERE_DOCUMENT.fullmatch, rest.split()) if found]
        if rest.strip():
            yield instruction.upper(), rest.strip()


def _expanded(text: str, arguments: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        given = arguments.get(match[1] or match[2], "")
        if match[3] == "+":
            return match[4] if given else ""
        return given or match[4] or ""

    return _VARIABLE.sub(value, text)
