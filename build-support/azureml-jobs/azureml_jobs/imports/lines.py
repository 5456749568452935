"""Read imports line by line, for code that this Python cannot parse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from azureml_jobs.imports.statements import Import

_FROM = re.compile(r"(\s*)from\s+(\.*)\s*([\w.]*)\s+import\s+(\([^)]*\)|[^#;\n]+)")
_IMPORT = re.compile(r"(\s*)import\s+([^#;\n]+)")


def imports_by_line(text: str) -> Iterator[Import]:
    """Yield the imports of the text. Indented ones may be guarded, so they are optional."""
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if found := _FROM.match(line if "(" not in line else "\n".join(lines[number - 1 :])[:4000]):
            indent, dots, module, names = found.groups()
            listed = tuple(_names(re.sub(r"#.*", "", names).strip(" ()\n")))
            if listed and (module or dots):
                yield Import(module, listed, len(dots), number, bool(indent))
        elif found := _IMPORT.match(line):
            for name in _names(found[2]):
                yield Import(name, (), 0, number, bool(found[1]))


def _names(text: str) -> Iterator[str]:
    """Yield the names of `a as b, c`."""
    for part in text.replace("\\", " ").split(","):
        name = part.split()[0] if part.split() else ""
        if name == "*" or all(piece.isidentifier() for piece in name.split(".")):
            yield name
