"""Rename the files of an experiment for a copy of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from azureml_jobs.experiment.template import Files

# A name is not part of a longer one.
_BEGIN = r"(?<![\w./-])"
_END = r"(?![\w-])"


def renamed(files: Files, source_root: str, old: Sequence[str], new: Sequence[str]) -> Files:
    """Return `files` of the experiment `old` as those of `new`; both are the parts of a name.

    The old name is replaced where it stands for the experiment: in imports and other names of its
    modules, in paths and addresses, and as its label. A name that is an ordinary word, such as
    `wine`, may also be a variable or data, and stays there.
    """
    patterns = list(_patterns(files, source_root, old, new))
    copied = dict(files)
    for name, (content, executable) in files.items():
        # What is not text is data, or a picture.
        with contextlib.suppress(UnicodeDecodeError):
            text, path = content.decode(), PurePosixPath(name)
            for suffixes, pattern, replacement in patterns:
                if not suffixes or path.suffix in suffixes:
                    text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
            if path.suffix in (".yaml", ".yml"):
                text = _with_paths_up(text, len(path.parent.parts), len(old), len(new))
            copied[name] = (text.encode(), executable)
    return copied


def _patterns(
    files: Iterable[str], source_root: str, old: Sequence[str], new: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield suffixes of files (none: of all), a pattern, and what replaces it, in their order."""
    dotted, path, label = (re.escape(between.join(old)) for between in "./-")
    new_dotted, new_path, new_label = (between.join(new) for between in "./-")
    tops = {PurePosixPath(name).parts[0] for name in files}
    top = _any_of(tops)
    module = _any_of(name.removesuffix(".py") for name in tops)
    python = (".py", ".ipynb")
    yield (), rf"(?<![\w-])({re.escape(source_root)}/){path}{_END}", rf"\g<1>{new_path}"
    yield (), rf"{_BEGIN}{path}(?=/{top}{_END})", new_path
    yield (), rf"\b(cd +){path}{_END}", rf"\g<1>{new_path}"
    yield (), rf"{_BEGIN}{dotted}(?=\.{module}\b)", new_dotted
    yield (), rf"( -m +){dotted}{_END}", rf"\g<1>{new_dotted}"
    yield python, rf"^([ \"]*(?:from|import) +){dotted}{_END}", rf"\g<1>{new_dotted}"
    yield (), rf"^((?:# |experiment_name: )['\"]?){label}(?=['\"]?$)", rf"\g<1>{new_label}"
    # Where such a name is no ordinary word, it stands for nothing else. A label is no Python name.
    if len(old) > 1:
        yield (), rf"{_BEGIN}{dotted}{_END}", new_dotted
        yield (), rf"{_BEGIN}{path}{_END}", new_path
        yield (), rf"{_BEGIN}{label}{_END}", new_label
    elif not old[0].isalpha():
        yield python, rf"{_BEGIN}{dotted}{_END}", new_dotted
        yield (), rf"{_BEGIN}{label}{_END}", new_label


def _any_of(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(names)))})"


def _with_paths_up(text: str, below: int, old: int, new: int) -> str:
    """Lengthen the `../..` that lead from a file, `below` folders down, to the source root."""

    def longer(found: re.Match[str]) -> str:
        ups = found[0].count("..")
        return "/".join([".."] * (ups - old + new if ups >= below + old else ups))

    return re.sub(r"(?<![\w./])\.\.(?:/\.\.)*(?![\w.])", longer, text)
