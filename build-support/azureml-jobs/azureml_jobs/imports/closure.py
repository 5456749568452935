"""Find every file that a command loads."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.base.nearest import nearest
from azureml_jobs.imports.exploration import Exploration
from azureml_jobs.imports.finder import Finder
from azureml_jobs.imports.literals import unsent_folders, unsent_literals
from azureml_jobs.imports.missing import Advisor
from azureml_jobs.imports.overlay import Overlay, pattern_of
from azureml_jobs.imports.process import Process
from azureml_jobs.imports.questions import Exist, ListFolders, Question, ask_until_known
from azureml_jobs.imports.result import DECLARED, RUN, Closure, OutsideModule
from azureml_jobs.imports.steps import Missing, Shared, Wanted
from azureml_jobs.jobfile.command.code import Code, CommandCode


@dataclass(frozen=True)
class Launch:
    """A command with its code, and the Python that runs it.

    roots: the source roots of the repository; "" is the repository itself.
    where: the key of the command, for messages: `src/x/azure-ml-job.yaml: command`.
    standard_library: the names of the modules of Python itself.
    extra: repository paths of files that targets declare; their imports are followed, too.
    entries: those of files that a target starts.
    missing: modules that no package has, for which a file of a similar name is searched.
    """

    code: Code
    roots: tuple[str, ...]
    starts: CommandCode
    where: str
    python: tuple[int, int]
    standard_library: frozenset[str] = sys.stdlib_module_names
    extra: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()


def find_closure(launch: Launch) -> Generator[Question, Any, Closure]:
    """Ask what must be known, and return every file that the command loads and names."""
    try:
        exploration, advisor = yield from explore_command(launch)
    except JobError as error:
        return Closure((), (), (str(error),), ())
    return (yield from ask_until_known(lambda: _conclude(exploration, advisor), *advisor.overlays))


def explore_command(launch: Launch) -> Generator[Question, Any, tuple[Exploration, Advisor]]:
    """Ask what must be known, and return all that the command loads, and who can advise on it.

    Raises `JobError` for code that does not exist.
    """
    code, python = launch.code, launch.python
    # Without code of its own, a file outside of all source roots keeps its path.
    overlay = Overlay(code.path, (*launch.roots, "") if code.path is None else launch.roots)
    yield from _place(code, overlay)
    finder = Finder(overlay, python, launch.standard_library)
    exploration = Exploration(Shared(finder, python, launch.where))
    exploration.add(launch.starts)
    for include in overlay.includes:
        exploration.add_folder(include, "in additional_includes")
    for path in overlay.single_files:
        if path != code.path:
            exploration.shared.add(path, "in additional_includes")
    if launch.extra or launch.entries:
        exploration.add_declared(launch.extra, launch.entries)
    yield from exploration.explore()
    repository = Finder(Overlay("", ()), python, frozenset())
    return exploration, Advisor(code, finder, repository, launch.missing)


def _place(code: Code, overlay: Overlay) -> Generator[Question, Any, None]:
    """Find out which paths are folders and which are files; raise `JobError` if one is neither."""
    key = f"{code.where.removesuffix('code')}additional_includes"
    own = [(code.path, code.where)] if code.path else []
    for path, where in (*own, *((include, key) for include in code.includes)):
        existing = yield Exist((pattern_of(path),))
        if path in existing:
            overlay.single_files.append(path)
            if where == code.where:
                overlay.code = None
        elif f"{path}/" not in existing:
            around = posixpath.dirname(path)
            names = yield ListFolders((around,))
            raise _missing_path(where, path, names[around])
        elif where == key:
            overlay.includes.append(path)


def _missing_path(where: str, path: str, names: frozenset[str]) -> JobError:
    parent, name = posixpath.split(path)
    close = nearest(name, sorted(each.rstrip("/") for each in names))
    hint = f"Did you mean {posixpath.join(parent, close)}? " if close else ""
    return JobError(
        where,
        f"there is no folder or file {path}",
        f"{hint}Write a path relative to the file, such as `..`.",
    )


def _conclude(exploration: Exploration, advisor: Advisor) -> Closure:
    shared, code = exploration.shared, advisor.code
    for path in exploration.entries:
        shared.add(path, f"{RUN} the target")
    for path in exploration.declared:
        shared.add(path, DECLARED)
    for folders, wanted in shared.bare_folders.items():
        _keep_folder(shared, folders, wanted)
    errors: dict[str, None] = {}
    warnings = dict.fromkeys(f"{shared.where}: {sentence}" for sentence in exploration.warnings)
    modules: dict[OutsideModule, None] = {}
    for process, missing in _all_missing(exploration):
        is_optional = missing.wanted.is_optional
        if missing.kind == "outside":
            modules[advisor.outside(missing, process)] = None
        elif missing.kind == "start" or not is_optional:
            is_error = not is_optional and not process.is_open
            (errors if is_error else warnings)[str(advisor.error(missing, process))] = None
    files = tuple(file for _, file in sorted(shared.files.items()))
    refused = _refused_code(shared)
    unsent = (*unsent_literals(shared, code), *unsent_folders(shared))
    warnings.update(dict.fromkeys((*refused["doubt"], *map(str, unsent))))
    if code.is_named and code.path is not None and not (files or errors or modules):
        warnings[str(_nothing_sent(shared.where, code))] = None
    return Closure(
        files,
        tuple(sorted(modules, key=lambda each: (each.path, each.line, each.module, each.names))),
        tuple(errors),
        tuple(warnings),
        tuple(refused["error"]),
        tuple(refused["version"]),
    )


def _refused_code(shared: Shared) -> dict[str, list[str]]:
    """Return an "error" for what no Python takes, "version" for that of the job, and "doubt"."""
    found: dict[str, list[str]] = {"error": [], "version": [], "doubt": []}
    version = "Python {}.{}".format(*shared.python)
    for path in sorted(shared.sources.keys() & shared.files.keys()):
        problem = shared.sources[path].problem
        if problem is None:
            continue
        if problem.who == "unknown" or not _is_loaded(shared, path):
            kind, what = "doubt", "may not be valid Python"
            remedy = (
                "Of what cannot be parsed, only lines that begin with `import` or `from` are read."
            )
        elif problem.who == "every":
            kind, what, remedy = "error", "is not valid Python", "Correct it."
        else:
            kind, what = "version", f"is not valid {version}"
            remedy = (
                f"Write it as {version} has it. The file of `[azureml].image_platform` describes "
                "the image's Python."
            )
        if kind != "doubt" and not shared.files[path].why.startswith(RUN):
            remedy += (
                "\nIf the job does without this file, write `# pants: no-infer-dep` behind its "
                "import."
            )
        what = f"this {what} ({problem.reason}: `{problem.text}`)"
        found[kind].append(str(JobError(f"{path}:{problem.line}", what, remedy)))
    return found


def _is_loaded(shared: Shared, path: str) -> bool:
    """Return whether Python loads the file, which may be there for its text alone."""
    file = shared.files[path]
    while file.by in shared.files:
        file = shared.files[file.by]
    return file.why.startswith((RUN, "imported by", "named in"))


def _all_missing(exploration: Exploration) -> Iterator[tuple[Process, Missing]]:
    for process in exploration.processes:
        for missing in process.missing if process.changes_path else ():
            if not process.former or not process.former.satisfies(missing.wanted):
                yield process, missing
    for script in exploration.missing_scripts:
        where, is_optional = exploration.shared.where, not script.is_certain
        wanted = Wanted(script.name, (), where, 0, is_optional)
        yield Process(exploration.shared, (), script.folder), Missing("start", wanted)


def _keep_folder(shared: Shared, folders: tuple[str, ...], wanted: Wanted) -> None:
    """Add a module to a namespace package of which nothing is sent, so that it exists."""
    overlay, places = shared.finder.overlay, tuple(f"{folder}/" for folder in folders)
    if not any(file.name.startswith(places) for file in shared.files.values()):
        path = next(filter(None, (_first_module(overlay, each) for each in folders)), None)
        if path:
            shared.add(path, f"keeps the package that {wanted.where} imports", wanted.path)


def _first_module(overlay: Overlay, folder: str) -> str | None:
    listing = overlay.listing(folder)
    if listing is None:
        return None
    own = (listing.files[name] for name in sorted(listing.files) if name.endswith(".py"))
    inner = (_first_module(overlay, f"{folder}/{name}") for name in sorted(listing.folders))
    return next(own, None) or next(filter(None, inner), None)


def _nothing_sent(where: str, code: Code) -> JobError:
    return JobError(
        where,
        f"no file of {code.path or 'the repository'} is sent, because the command names none",
        "If it needs files, name them in the command, or declare them in `dependencies` in the "
        "BUILD file.",
    )
