"""What keeps the plugin easy to carry to newer releases of Pants, and cheap to start."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import azureml_jobs
import azureml_pants
import pytest

PLUGIN = Path(azureml_pants.__file__).parent
CORE = Path(azureml_jobs.__file__).parent


def modules(folder: Path) -> list[Path]:
    """The modules below `folder` without their tests."""
    found = [path for path in sorted(folder.rglob("*.py")) if path.name != "conftest.py"]
    return [path for path in found if not path.stem.endswith("_test")]


def imported(path: Path) -> Iterator[str]:
    """Names of all modules that a module imports, now or later."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def packages(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", modules(CORE), ids=lambda path: path.name)
def test_the_core_never_imports_pants(path: Path) -> None:
    assert not packages(path) & {"pants", "azureml_pants"}


def test_pants_is_imported_only_where_its_interfaces_are() -> None:
    using = {path.relative_to(PLUGIN).parts[0] for path in modules(PLUGIN) if _uses_pants(path)}
    allowed = {"rules", "target_types.py", "options.py", "ownership.py", "register.py"}
    assert "rules" in using and using <= allowed


def _uses_pants(path: Path) -> bool:
    return "pants" in packages(path)


@pytest.mark.parametrize("path", modules(PLUGIN / "rules"), ids=lambda path: path.name)
def test_a_module_of_rules_serves_one_generation_of_pants(path: Path) -> None:
    # Pants reads a rule's whole syntax tree, so a branch that is not taken must be valid, too.
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tested = [
        name
        for node in ast.walk(tree)
        if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Try))
        for part in ([node] if isinstance(node, ast.Try) else [node.test])
        for name in _names(part)
    ]
    assert not {"VERSION", "PANTS_SEMVER", "version_info", "ImportError"} & set(tested)


def _names(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            yield child.id
        elif isinstance(child, ast.Attribute):
            yield child.attr


def test_what_the_plugin_loads_of_the_core_loads_nothing_heavy() -> None:
    wanted = sorted(
        {
            name.rpartition(".")[0]
            for path in modules(PLUGIN)
            for name in imported(path)
            if name.startswith("azureml_jobs.")
        }
    )
    assert "azureml_jobs.protocol" in wanted
    script = (
        "import importlib, sys\n"
        f"for name in {wanted}: importlib.import_module(name)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    loaded = set(ran.stdout.decode().split())
    assert "azureml_jobs" in loaded
    assert not loaded & {"azure", "dotenv", "jsonschema", "mlflow", "pants", "referencing"}
