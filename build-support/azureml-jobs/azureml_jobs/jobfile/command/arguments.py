"""The arguments of a program, and the paths in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Stand in an argument for what only the run knows, and for the absolute path of the snapshot.
# Noncharacters of Unicode, so that they are in no text.
UNKNOWN = "\ufdd0"
SNAPSHOT = "\ufdd1"

PYTHON_SUFFIXES = (".py", ".pyz", ".pex", ".ipynb")
SCRIPT_SUFFIXES = (*PYTHON_SUFFIXES, ".sh", ".bash", ".zsh", ".R", ".r", ".jl", ".pl", ".js")

ASSIGNMENT = re.compile(r"[a-zA-Z_]\w*\+?=")
# Numbers, texts of several lines, long texts, and what has no letter or digit.
_NO_NAME = re.compile(r"(?!\.\.?/?$)[\d.,:+-]*(?:[eE]-?\d+)?|(?!\.)\W*|(?s:.*\n.*|.{1000,})")
ADDRESS = re.compile(r"[\w.+-]+://|(?:azureml|git\+?\w*|https?):|[\w.-]+@")
_SEPARATORS = re.compile(r"[,:;@\[\](){}'\"]+ *")
# A part of a name that only the run knows: all files that may be meant are below one folder.
_CANDIDATES = re.compile(rf"([^{UNKNOWN}]*/[^/{UNKNOWN}]*){UNKNOWN}([^/{UNKNOWN}]*\.\w+)")
_BRACES = re.compile(r"\{([^{}\s]*,[^{}\s]*)\}")


@dataclass(frozen=True)
class Argument:
    """One argument, as the program gets it.

    has_glob: bash replaces it by the names of files.
    """

    text: str
    is_quoted: bool = False
    has_glob: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is known as it is."""
        return UNKNOWN not in self.text and not self.has_glob

    @property
    def is_option(self) -> bool:
        return self.text.startswith("-")

    @property
    def is_python_file(self) -> bool:
        is_name = self.is_plain and not self.is_option and not set("=,*?[") & set(self.text)
        return is_name and self.text.endswith(PYTHON_SUFFIXES)

    @property
    def is_script(self) -> bool:
        return self.is_plain and not self.is_option and self.text.endswith(SCRIPT_SUFFIXES)


def expand_braces(text: str) -> list[str]:
    """Return what bash makes of `conf/{a,b}.yaml`."""
    found = _BRACES.search(text) if text.count("{") < 5 else None
    if found is None:
        return [text]
    options = [text[: found.start()] + each + text[found.end() :] for each in found[1].split(",")]
    return [each for option in options for each in expand_braces(option)]


def paths_in(argument: Argument) -> Iterator[str]:
    """Yield every path that may be meant: the argument, its value, each item of a list in it."""
    text = argument.text
    if argument.is_option or "=" in text:
        text = text.partition("=")[2]
    if ADDRESS.match(text):
        return
    whole = () if ":" in text else (text,)
    for each in dict.fromkeys((*whole, *_SEPARATORS.split(text))):
        candidates = _CANDIDATES.fullmatch(each)
        if candidates:
            each = candidates[1] + "*" + candidates[2]
        if UNKNOWN in each or each[:1] in "-~" or _NO_NAME.fullmatch(each):
            continue
        if argument.has_glob or not set("*?[").intersection(each) or candidates:
            yield each
