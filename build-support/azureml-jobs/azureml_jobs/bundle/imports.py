"""What to tell of imports that no target and no lock has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError

_TYPE_CHECKING = re.compile(r"if\s+(\w+\.)?TYPE_CHECKING\b")
_SUPPRESSED = re.compile(r"with\s+(\w+\.)?suppress\([^)]*\b(ImportError|ModuleNotFoundError)\b")
_CAUGHT = re.compile(r"except\s*(:|\*?.*\b(ImportError|ModuleNotFoundError|Exception)\b)")
_OTHER_CLAUSE = re.compile(r"(except|else|finally)\b|#")


@dataclass(frozen=True)
class UnownedImport:
    """An import in `path`, relative to the repository's root, which nobody owns in its resolve.

    `owners` are addresses when several targets of the resolve have the module; `elsewhere` those of
    code that has it for other resolves only. `projects` are packages that have it, as far as is
    known. `is_own_code` says that the module's first name is a file or folder beside the importer.
    """

    path: str
    line: int
    module: str
    resolve: str
    owners: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    is_own_code: bool = False

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"

    @property
    def is_package(self) -> bool:
        """Whether a package has it, which an environment may bring, and no code of ours."""
        return not (self.owners or self.elsewhere or self.is_own_code)


def is_guarded(text: str, line: int, module: str) -> bool:
    """Whether the code can do without an import: it is for types alone, or its failure is caught.

    `line` counts from 1. Every other plain import of the module must be guarded as well. The text
    is read by its indentation, since it may be written for another Python than this one.
    """
    lines = text.splitlines()
    name = re.escape(module.partition(".")[0])
    plain = re.compile(rf"\s*(import|from)\s+{name}\b")
    places = {line - 1, *(index for index, found in enumerate(lines) if plain.match(found))}
    return all(
        index < len(lines) and any(_guards(lines, header) for header in _headers(lines, index))
        for index in places
    )


def _headers(lines: list[str], index: int) -> Iterator[int]:
    """The line itself, and each above it that is indented less than all between."""
    depth = _indent(lines[index]) + 1
    for above in range(index, -1, -1):
        text = lines[above]
        if text.strip() and not text.lstrip().startswith("#") and _indent(text) < depth:
            depth = _indent(text)
            yield above


def _guards(lines: list[str], header: int) -> bool:
    text = lines[header].lstrip()
    if _TYPE_CHECKING.match(text) or _SUPPRESSED.match(text):
        return True
    if not re.match(r"try\s*:", text):
        return False
    depth = _indent(lines[header])
    for below in lines[header + 1 :]:
        clause = below.lstrip()
        if clause and _indent(below) <= depth:
            if _indent(below) < depth or not _OTHER_CLAUSE.match(clause):
                return False
            if _CAUGHT.match(clause):
                return True
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def import_errors(imports: Iterable[UnownedImport], requirements: Iterable[str]) -> tuple[str, ...]:
    """One message for each kind of mistake among imports of one resolve.

    `requirements` are the files that list the packages of that resolve.
    """
    found = sorted(set(imports), key=lambda each: (each.path, each.line, each.module))
    ambiguous = [each for each in found if each.owners]
    elsewhere = [each for each in found if each.elsewhere and not each.owners]
    missing = [each for each in found if each.is_own_code and not each.owners + each.elsewhere]
    packages = [each for each in found if each.is_package]
    messages = []
    if packages:
        messages.append(_packages_message(packages, sorted(requirements)))
    if missing:
        messages.append(
            _message(
                [(each, f"no file is the module `{each.module}`") for each in missing],
                "Check its name. A new file needs a target in the BUILD file of its folder, such "
                'as `python_sources(name="lib")`.',
            )
        )
    if elsewhere:
        messages.append(
            _message(
                [
                    (
                        each,
                        f"`{each.module}` is not part of the resolve `{each.resolve}`, but only "
                        f"{', '.join(each.elsewhere)}",
                    )
                    for each in elsewhere
                ],
                f"Add `{elsewhere[0].resolve}` to the resolves of that target in its BUILD file.",
            )
        )
    if ambiguous:
        messages.append(
            _message(
                [
                    (each, f"several targets are `{each.module}`: {', '.join(each.owners)}")
                    for each in ambiguous
                ],
                "Keep one of them, or name the right one in the `dependencies` of the target that "
                "imports it.",
            )
        )
    return tuple(messages)


def _packages_message(packages: list[UnownedImport], requirements: list[str]) -> str:
    resolve = packages[0].resolve
    known = sorted({project for each in packages for project in each.projects})
    likely = f" (likely {', '.join(f'`{project}`' for project in known)})" if known else ""
    whose = " and ".join(requirements) or f"the requirements of the resolve `{resolve}`"
    return _message(
        [
            (each, f"no package of the resolve `{resolve}` has the module `{each.module}`")
            for each in packages
        ],
        f"Add the package{likely} to {whose}, then run `./pants sync-lockfiles "
        f"--resolve={resolve}`. If it is there under a name that does not show its module, add "
        "`module_mapping` to its target. For an import that the code can do without, write "
        "`# pants: no-infer-dep` behind it.",
    )


def _message(told: list[tuple[UnownedImport, str]], remedy: str) -> str:
    *first, (last, what) = told
    lines = [str(JobError(each.where, text)) for each, text in first]
    return "\n".join([*lines, str(JobError(last.where, what, remedy))])
