"""What code loads: answer the questions of the core, which decides."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from azureml_jobs.imports.closure import Launch, find_closure
from azureml_jobs.imports.overlay import pattern_of
from azureml_jobs.imports.questions import Exist, ListFolders, Question, ReadSources, ReadTexts
from azureml_jobs.imports.result import Closure
from azureml_jobs.imports.source import Source, read_source
from azureml_pants.code.sources import ImagePython, SourceRequest
from pants.backend.python.dependency_inference.default_unowned_dependencies import (
    DEFAULT_UNOWNED_DEPENDENCIES,
)
from pants.engine.fs import Digest, DigestContents, GlobMatchErrorBehavior, PathGlobs, Paths
from pants.engine.rules import Get, MultiGet, rule
from pants.source.filespec import FilespecMatcher

# Pants' list has the modules of all versions, ours those of the version that runs Pants.
STANDARD_LIBRARY = frozenset(DEFAULT_UNOWNED_DEPENDENCIES) | sys.stdlib_module_names


@dataclass(frozen=True)
class ClosureRequest:
    """Find what is loaded; `generated` holds files that only targets have, at their paths."""

    launch: Launch
    generated: Digest


@dataclass(frozen=True)
class FolderRequest:
    path: str


@dataclass(frozen=True)
class FolderNames:
    """The names in a folder; those of folders end with a slash."""

    names: frozenset[str]


@rule
async def list_folder(request: FolderRequest) -> FolderNames:
    pattern = f"{pattern_of(request.path)}/*".lstrip("/")
    found = await Get(Paths, PathGlobs(globs([pattern]), GlobMatchErrorBehavior.ignore))
    files = (PurePath(each).name for each in found.files)
    return FolderNames(frozenset((*files, *(f"{PurePath(each).name}/" for each in found.dirs))))


async def answer_questions(
    asking: Generator[Question, Any, Any], digest: Digest, python: ImagePython
) -> Any:
    """Return what the generator returns, once it has learned of the repository and of `digest`."""
    contents = await Get(DigestContents, Digest, digest)
    generated = {file.path: file.content for file in contents}
    answer: Any = None
    while True:
        try:
            question = asking.send(answer)
        except StopIteration as decided:
            return decided.value
        if isinstance(question, Exist):
            found = await Get(
                Paths, PathGlobs(globs(question.patterns), GlobMatchErrorBehavior.ignore)
            )
            answer = {
                *found.files,
                *(f"{folder}/" for folder in found.dirs),
                *(matching(question.patterns, generated) if generated else ()),
            }
        elif isinstance(question, ListFolders):
            # One by one, so that a folder with all experiments is listed once for all of them.
            listed = await MultiGet(
                Get(FolderNames, FolderRequest(each)) for each in question.folders
            )
            inside = names_in(generated)
            answer = {
                folder: found.names | inside.get(folder, frozenset())
                for folder, found in zip(question.folders, listed)
            }
        elif isinstance(question, ReadSources):
            paths = [path for path in question.paths if path not in generated]
            read = await MultiGet(Get(Source, SourceRequest(path)) for path in paths)
            answer = dict(zip(paths, read)) | {
                path: read_source(generated[path], path, python.version)
                for path in generated.keys() & question.paths
            }
        elif isinstance(question, ReadTexts):
            texts = await Get(
                DigestContents, PathGlobs(pattern_of(path) for path in question.paths)
            )
            answer = {file.path: file.content.decode(errors="replace") for file in texts}


@rule(desc="Find what code loads")
async def request_closure(request: ClosureRequest, python: ImagePython) -> Closure:
    return await answer_questions(find_closure(request.launch), request.generated, python)


def globs(patterns: Iterable[str]) -> list[str]:
    """Return Pants' globs for the patterns; it takes a leading `!` for an exclusion."""
    return sorted({each.rstrip("/") for each in patterns if each and not each.startswith("!")})


def names_in(generated: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the names in each folder of the generated files, as in `FolderNames`."""
    found: dict[str, set[str]] = {}
    for path in generated:
        end = ""
        while path:
            path, _, name = path.rpartition("/")
            found.setdefault(path, set()).add(f"{name}{end}")
            end = "/"
    return {folder: frozenset(names) for folder, names in found.items()}


def matching(patterns: Iterable[str], generated: Iterable[str]) -> set[str]:
    """Return which generated files, and which folders of them, the patterns match."""
    folders = {str(each) for path in generated for each in PurePath(path).parents if each.name}
    matcher = FilespecMatcher(globs(patterns), [])
    files = matcher.matches(list(generated))
    return {*files, *(f"{folder}/" for folder in matcher.matches(list(folders)))}
