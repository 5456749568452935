"""The closure against the interpreter itself, on random trees of modules."""

from __future__ import annotations

import json
import posixpath
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from azureml_jobs.conftest import write_files
from azureml_jobs.imports.closure import Launch, find_closure
from azureml_jobs.imports.questions import answer_from_folder
from azureml_jobs.imports.result import Closure
from azureml_jobs.jobfile.command.code import Code, CommandCode, PythonStart

PYTHON = sys.version_info[:2]
ROOTS = ("src", "lib")
# `colorsys` is a module of Python itself.
NAMES = ("a", "b", "c", "m", "n", "colorsys")
CASES = 25

# Runs each case in a child process. An import that fails is recorded and gives a stand-in, so that
# every statement of every file is reached.
DRIVER = """
import builtins, json, os, runpy, sys, types

class Gone(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

def has_star(module):
    return bool(module.__file__) and "import *" in open(module.__file__).read()

def run(folder, kind, value, search_path):
    really_import, done, failed, absent = builtins.__import__, set(), set(), []

    def record(name, globals=None, locals=None, fromlist=(), level=0):
        file = (globals or {}).get("__file__") or ""
        if not file.startswith(folder):
            return really_import(name, globals, locals, fromlist, level)
        where = os.path.relpath(file, folder), sys._getframe(1).f_lineno
        done.add(where)
        try:
            found = really_import(name, globals, locals, fromlist, level)
        except ImportError:
            failed.add(where)
            return Gone("gone")
        for each in fromlist or ():
            if each != "*" and not hasattr(found, each):
                # What a module binds is not a question of files, and unknown after `import *`.
                if hasattr(found, "__path__") and not has_star(found):
                    absent.append((where, found, each))
                return Gone("gone")
        return found

    os.chdir(folder)
    if kind == "script" and os.path.isdir(value):
        # It is searched itself, in place of the folder around it.
        search_path = search_path[1:]
    sys.path[:0] = [os.path.join(folder, each) for each in search_path]
    builtins.__import__ = record
    try:
        if kind == "script":
            sys.argv = [value]
            runpy.run_path(os.path.join(folder, value), run_name="__main__")
        else:
            runpy.run_module(value, run_name="__main__", alter_sys=True)
    except ImportError as error:
        failed.add(("", 0))
    finally:
        builtins.__import__ = really_import
    # A name that is bound later failed in a circle of imports only.
    failed.update(where for where, found, each in absent if not hasattr(found, each))
    return {"done": sorted(done), "failed": sorted(failed)}

for case in json.load(sys.stdin):
    sys.stdout.flush()
    if os.fork() == 0:
        try:
            print(json.dumps(run(*case)))
        except BaseException as error:
            print(json.dumps(repr(error)))
        sys.stdout.flush()
        os._exit(0)
    os.wait()
"""


def tree(random: Random, code: str) -> dict[str, str]:
    """Return random files by their paths: modules, packages and folders without `__init__`."""
    files: dict[str, str] = {}
    for base in sorted({code, *ROOTS}):
        for _ in range(random.randint(1, 7)):
            depth = random.choice((0, 0, 1, 1, 2))
            folder = posixpath.join(base, *random.choices(NAMES[:3], k=depth))
            name = random.choice((*NAMES, *NAMES, "__init__", "__init__", "__main__"))
            files[posixpath.join(folder, f"{name}.py")] = ""
            files[posixpath.join(folder, "never_imported.py")] = ""
    return {path: source(random) for path in files}


def source(random: Random) -> str:
    lines = [statement(random) for _ in range(random.randint(0, 4))]
    if random.random() < 0.3:
        lines.insert(random.randint(0, len(lines)), special(random))
    return "\n".join(lines) + "\n"


def special(random: Random) -> str:
    """Return what changes where Python looks, or whether it looks."""
    first, second = (statement(random) for _ in range(2))
    folder = random.choice(
        ("'a'", "os.path.dirname(__file__)", "os.path.dirname(__file__) + '/..'")
    )
    condition = random.choice(
        ("__name__ == '__main__'", "not __package__", "sys.version_info < (3,)")
    )
    return random.choice(
        (
            "__all__ = ['a', 'm']",
            f"import os, sys; sys.path.append({folder})",
            f"import os, sys; sys.path.insert(0, {folder})",
            f"import sys\nif {condition}:\n    {first}\nelse:\n    {second}",
        )
    )


def statement(random: Random) -> str:
    names = ".".join(random.choices(NAMES, k=random.choice((1, 1, 2, 2, 3))))
    # What the standard library does not have is not reported.
    names = names.replace("colorsys.", "a.")
    dots = "." * random.choice((0, 0, 1, 1, 2))
    imported = random.choice((*NAMES, *NAMES, "*"))
    return random.choice(
        (f"import {names}", f"from {dots}{names} import {imported}", f"from . import {imported}")
    )


def start(random: Random, snapshot: dict[str, str]) -> PythonStart:
    """Return a command that runs one of the files, with a random `PYTHONPATH`."""
    folders = sorted({posixpath.dirname(name) for name in snapshot})
    more = tuple(random.choices(folders, k=random.choice((0, 0, 0, 1))))
    name = random.choice(
        sorted(name for name in snapshot if not name.endswith("never_imported.py"))
    )
    if random.random() < 0.5 or "/" not in name:
        if name.endswith("/__main__.py") and random.random() < 0.5:
            name = posixpath.dirname(name)
        return PythonStart("script", name, (posixpath.dirname(name), *more), "")
    stem = name[:-3].removesuffix("/__init__").removesuffix("/__main__")
    folder = random.choice([each for each in ("", *folders) if f"/{stem}".startswith(f"/{each}")])
    module = stem[len(folder) :].strip("/").replace("/", ".") or stem
    return PythonStart("module", module, (folder, *more), folder)


def lay_out_everything(code: str, files: dict[str, str]) -> dict[str, str]:
    """Return the path of each file by its name when all of them are sent."""
    found: dict[str, str] = {}
    for base in (code, *ROOTS):
        for path in sorted(files):
            owner = code if f"{path}".startswith(f"{code}/") or not code else path.split("/")[0]
            if owner == base:
                found.setdefault(path[len(base) :].lstrip("/"), path)
    return found


def close(folder: Path, code: str, command: PythonStart) -> Closure:
    launch = Launch(
        Code(code, "job.yaml: code"),
        ROOTS,
        CommandCode((command,), (), (), ()),
        "job.yaml: command",
        PYTHON,
    )
    return answer_from_folder(folder, find_closure(launch), PYTHON)


def run_all(cases: list[Any]) -> list[Any]:
    run = subprocess.run(
        [sys.executable, "-IS", "-B", "-c", DRIVER],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith(("{", '"'))]


@pytest.mark.parametrize("code", ["work", "src", "src/a", ""])
def test_the_closure_gives_python_what_all_files_give(tmp_path: Path, code: str) -> None:
    cases, closures, snapshots = [], [], []
    for number in range(CASES):
        random = Random(f"{code}{number}")
        files = tree(random, code)
        snapshot = lay_out_everything(code, files)
        command = start(random, snapshot)
        folder = tmp_path / str(number)
        write_files(folder / "repository", files)
        closure = close(folder / "repository", code, command)
        write_files(folder / "all", {name: files[path] for name, path in snapshot.items()})
        (folder / "closure").mkdir()
        write_files(folder / "closure", {each.name: files[each.path] for each in closure.files})
        for layout in ("all", "closure"):
            cases.append([str(folder / layout), command.kind, command.value, command.search_path])
        closures.append((command, closure))
        snapshots.append(snapshot)
    results = run_all(cases)
    assert len(results) == len(cases)
    for number, (command, closure) in enumerate(closures):
        with_all, with_closure = results[2 * number : 2 * number + 2]
        snapshot = snapshots[number]
        texts = {
            path: (tmp_path / str(number) / "repository" / path).read_text()
            for path in snapshot.values()
        }
        context = f"case {number}: {command}\n{closure}\n{texts}"
        assert with_closure == with_all, context
        if isinstance(with_all, str):
            continue  # It ended with another error.
        reported = {(each.path, each.line) for each in closure.modules if not each.is_optional}
        reported |= {place(message) for message in closure.errors}
        done = {(snapshot[name], line) for name, line in with_all["done"]}
        failed = {
            (snapshot.get(name, "job.yaml: command"), line) for name, line in with_all["failed"]
        }
        # What fails before the code changes `sys.path` may be found afterwards.
        if not any("sys.path" in texts[each.path] for each in closure.files):
            assert failed <= reported, context
        assert {each for each in reported if each in done} <= failed, context
        assert not [
            each
            for each in closure.files
            if each.path.endswith("never_imported.py") and not each.why.startswith("keeps")
        ]


def place(message: str) -> tuple[str, int]:
    path, _, rest = message.partition(":")
    line = rest.partition(":")[0]
    return (path, int(line)) if line.isdigit() else ("job.yaml: command", 0)
