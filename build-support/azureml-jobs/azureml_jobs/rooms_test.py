"""No room of the core imports from one above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import azureml_jobs
import pytest

CORE = Path(azureml_jobs.__file__).parent

# From the ground up; rooms on one floor do not import each other.
FLOORS = (
    {"base"},
    {"protocol"},
    {"jobfile", "locks", "experiment"},
    {"imports"},
    {"bundle"},
    {"docker"},
    {"local", "azure"},
    {"ui"},
    {"cli"},
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> list[Path]:
    return [
        path.relative_to(CORE)
        for path in sorted(CORE.rglob("*.py"))
        if path.stem != "__init__" and not is_of_tests(path.stem)
    ]


def is_of_tests(name: str) -> bool:
    return name == "conftest" or name.startswith("tested_") or name.endswith("_test")


def room_of(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def imported_modules(module: Path) -> Iterator[str]:
    """Yield the names that a module imports, also within functions."""
    for node in ast.walk(ast.parse((CORE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_used_by(module: Path) -> set[str]:
    names = (name.split(".") for name in imported_modules(module))
    return {parts[1] for parts in names if parts[0] == "azureml_jobs" and len(parts) > 1}


def test_every_module_is_in_a_room_that_has_a_floor() -> None:
    assert {room_of(module) for module in modules()} == set(FLOOR_OF)


@pytest.mark.parametrize("module", modules(), ids=str)
def test_imports_only_from_its_own_room_and_from_below(module: Path) -> None:
    own = room_of(module)
    wrong = {
        room for room in rooms_used_by(module) if room != own and FLOOR_OF[room] >= FLOOR_OF[own]
    }
    assert not wrong


def test_no_module_imports_what_only_tests_have() -> None:
    imported = ((module, name) for module in modules() for name in imported_modules(module))
    ours = ((module, name) for module, name in imported if name.startswith("azureml_jobs."))
    assert not [each for each in ours if any(map(is_of_tests, each[1].split(".")))]


def test_modules_import_each_other_in_no_circle() -> None:
    names = {".".join(module.with_suffix("").parts): module for module in modules()}
    edges = {
        name: {
            target
            for imported in imported_modules(module)
            for target in (
                imported.removeprefix("azureml_jobs."),
                imported.removeprefix("azureml_jobs.").rpartition(".")[0],
            )
            if imported.startswith("azureml_jobs.") and target in names and target != name
        }
        for name, module in names.items()
    }
    # Raises `graphlib.CycleError`, which names the modules.
    TopologicalSorter(edges).prepare()


def test_the_stand_in_is_imported_in_one_place_of_the_commands_and_of_the_tests() -> None:
    using = [
        str(module)
        for module in sorted(path.relative_to(CORE) for path in CORE.rglob("*.py"))
        if any(name.startswith("azureml_standin.") for name in imported_modules(module))
    ]
    assert using == ["azure/conftest.py", "cli/aml.py"]


def test_only_one_room_and_the_commands_reach_azure() -> None:
    using = {
        room_of(module)
        for module in modules()
        if any(name.partition(".")[0] == "azure" for name in imported_modules(module))
    }
    assert using == {"azure"}
