"""Read which files a script of R, Julia and the like names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from azureml_jobs.imports.names import may_be_path

_STRING = re.compile(r"""["']([^"'\n]+)["']""")
_SOURCE = re.compile(r"""\b(?:source|include)\(\s*["']([^"'\n]+)["']""")


def sourced_files(text: str) -> list[str]:
    """Return the paths of the scripts that it loads: `source("utils.R")`, `include("utils.jl")`."""
    found = (posixpath.normpath(path) for path in _SOURCE.findall(text))
    return list(dict.fromkeys(path for path in found if may_be_path(path)))


def path_strings(text: str) -> Iterator[tuple[str, int]]:
    """Yield strings that may be relative paths, with their lines."""
    for number, line in enumerate(text.split("\n"), start=1):
        for string in _STRING.findall(line):
            if may_be_path(string):
                yield posixpath.normpath(string), number
