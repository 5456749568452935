"""Find every file that a command loads."""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import nearest
from azureml_jobs.imports.exploration import Exploration
from azureml_jobs.imports.finder import Finder
from azureml_jobs.imports.knowledge import ask_until_known
from azureml_jobs.imports.literals import unsent_folders, unsent_literals
from azureml_jobs.imports.missing import Advisor
from azureml_jobs.imports.overlay import Overlay, pattern_of
from azureml_jobs.imports.process import Process
from azureml_jobs.imports.questions import Exist, Question
from azureml_jobs.imports.refused import refused_code
from azureml_jobs.imports.result import DECLARED, RUN, Closure, ClosureFile, OutsideModule
from azureml_jobs.imports.steps import Missing, Shared, Wanted
from azureml_jobs.jobfile.code import Code
from azureml_jobs.jobfile.command.code import CommandCode


def find_closure(
    code: Code,
    roots: tuple[str, ...],
    starts: CommandCode,
    *,
    extra: tuple[str, ...] = (),
    entries: tuple[str, ...] = (),
    where: str,
    python: tuple[int, int],
    standard_library: frozenset[str],
) -> Generator[Question, Any, Closure]:
    """Ask what must be known, and return every file that the command loads and names."""
    try:
        exploration, advisor = yield from explore_command(
            code,
            roots,
            starts,
            extra=extra,
            entries=entries,
            where=where,
            python=python,
            standard_library=standard_library,
        )
    except JobError as error:
        return Closure((), (), (str(error),), ())
    return (
        yield from ask_until_known(
            lambda: _conclude(exploration, advisor, code, where), *unknown_to(advisor)
        )
    )


def explore_command(
    code: Code,
    roots: tuple[str, ...],
    starts: CommandCode,
    *,
    extra: tuple[str, ...],
    entries: tuple[str, ...],
    where: str,
    python: tuple[int, int],
    standard_library: frozenset[str],
) -> Generator[Question, Any, tuple[Exploration, Advisor]]:
    """Ask what must be known, and return all that the command loads, and who can advise on it.

    roots: the source roots of the repository; "" is the repository itself.
    extra: repository paths of files that targets declare; their imports are followed, too.
    entries: those of files that a target starts.
    where: the key of the command, for messages: `src/x/azure-ml-job.yaml: command`.
    standard_library: the names of the modules of Python itself.

    Raises `JobError` for code that does not exist.
    """
    # Without code of its own, a file outside of all source roots keeps its path.
    overlay = Overlay(code.path, (*roots, "") if code.path is None else roots)
    yield from _place(code, overlay)
    finder = Finder(overlay, python, standard_library)
    exploration = Exploration(Shared(finder, python, where))
    exploration.add(starts)
    for include in overlay.includes:
        exploration.add_folder(include, "in additional_includes")
    for path in overlay.single_files:
        if path != code.path:
            exploration.shared.add(path, "in additional_includes")
    if extra or entries:
        exploration.add_declared(extra, entries)
    yield from exploration.explore()
    repository = Finder(Overlay("", ()), python, frozenset())
    return exploration, Advisor(code, finder, repository)


def unknown_to(advisor: Advisor) -> tuple[tuple[set[str], ...], tuple[Overlay, ...]]:
    """Return where the advisor collects what must be known, and where it learns that."""
    finders = advisor.snapshot, advisor.repository
    return tuple(each.unknown for each in finders), tuple(each.overlay for each in finders)


def _place(code: Code, overlay: Overlay) -> Generator[Question, Any, None]:
    """Find out which paths are folders and which are files; raise `JobError` if one is neither."""
    if code.path:
        existing = yield from _existing(code.path)
        if code.path in existing:
            overlay.code = None
            overlay.single_files.append(code.path)
        elif f"{code.path}/" not in existing:
            raise _missing_path(code.where, code.path, existing)
    for include in code.includes:
        existing = yield from _existing(include)
        if include in existing:
            overlay.single_files.append(include)
        elif f"{include}/" in existing:
            overlay.includes.append(include)
        else:
            where = f"{code.where.removesuffix('code')}additional_includes"
            raise _missing_path(where, include, existing)


def _existing(path: str) -> Generator[Question, Any, frozenset[str]]:
    """Ask for a path, and for all next to it."""
    around = pattern_of(posixpath.dirname(path))
    return frozenset((yield Exist((pattern_of(path), f"{around}/*".lstrip("/")))))


def _missing_path(where: str, path: str, existing: frozenset[str]) -> JobError:
    parent, name = posixpath.split(path)
    close = nearest(name, sorted(posixpath.basename(each.rstrip("/")) for each in existing))
    return JobError(
        where,
        f"there is no folder or file {path}",
        (f"Did you mean {posixpath.join(parent, close)}? " if close else "")
        + "Write a path relative to the file, such as `..`.",
    )


def _conclude(exploration: Exploration, advisor: Advisor, code: Code, where: str) -> Closure:
    shared = exploration.shared
    for paths, why in (
        (exploration.entries, f"{RUN} the target"),
        (exploration.declared, DECLARED),
    ):
        for path in paths:
            shared.add(path, why)
    for folders, wanted in shared.bare_folders.items():
        _keep_folder(shared, folders, wanted)
    errors: dict[str, None] = {}
    warnings = dict.fromkeys(f"{where}: {sentence}" for sentence in exploration.warnings)
    modules: dict[OutsideModule, None] = {}
    for process, missing in _all_missing(exploration):
        if missing.kind == "outside":
            modules[advisor.outside(missing, process)] = None
        elif missing.kind == "start" or not missing.wanted.is_optional:
            is_error = not missing.wanted.is_optional and not process.is_open
            (errors if is_error else warnings)[str(advisor.error(missing, process))] = None
    files = tuple(
        ClosureFile(path, advisor.overlay.name_of(path), shared.why[path], shared.by[path])
        for path in sorted(shared.why)
    )
    refused = refused_code(shared)
    warnings.update(dict.fromkeys(refused.doubts))
    warnings.update(dict.fromkeys(map(str, unsent_literals(shared, code))))
    warnings.update(dict.fromkeys(map(str, unsent_folders(shared))))
    if code.is_named and code.path is not None and not (files or errors or modules):
        warnings[str(_nothing_sent(where, code))] = None
    ordered = sorted(modules, key=lambda each: (each.path, each.line, each.module, each.names))
    return Closure(
        files,
        tuple(ordered),
        tuple(errors),
        tuple(warnings),
        refused.errors,
        refused.version_errors,
    )


def _all_missing(exploration: Exploration) -> Iterator[tuple[Process, Missing]]:
    where = exploration.shared.where
    for process in exploration.processes:
        for missing in process.missing if process.changes_path else ():
            if not process.former or not process.former.satisfies(missing.wanted):
                yield process, missing
    for script in exploration.missing_scripts:
        process = Process(exploration.shared, (), script.folder)
        wanted = Wanted(script.name, (), where, 0, is_optional=not script.is_certain)
        yield process, Missing("start", wanted)


def _keep_folder(shared: Shared, folders: tuple[str, ...], wanted: Wanted) -> None:
    """Add a module to a namespace package of which nothing is sent, so that it exists."""
    names = {shared.finder.overlay.name_of(path) for path in shared.why}
    if not any(name.startswith(f"{folder}/") for name in names for folder in folders):
        path = next(filter(None, (_first_module(shared.finder, each) for each in folders)), None)
        if path:
            shared.add(path, f"keeps the package that {wanted.where} imports", wanted.path)


def _first_module(finder: Finder, folder: str) -> str | None:
    listing = finder.listing(folder)
    if listing is None:
        return None
    own = (listing.files[name] for name in sorted(listing.files) if name.endswith(".py"))
    inner = (_first_module(finder, f"{folder}/{name}") for name in sorted(listing.folders))
    return next(own, None) or next(filter(None, inner), None)


def _nothing_sent(where: str, code: Code) -> JobError:
    return JobError(
        where,
        f"no file of {code.path or 'the repository'} is sent, because the command names none",
        "If it needs files, name them in the command, or declare them in `dependencies` in the "
        "BUILD file.",
    )
