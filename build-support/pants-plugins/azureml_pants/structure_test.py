"""What keeps backends apart, the plugin easy to carry to newer Pants, and Pants quick to start."""

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
# What backends share, from the ground up.
SHARED = ("base", "job_tool", "code", "environment")


def modules(folder: Path) -> list[Path]:
    """Return the modules below `folder` without their tests."""
    found = [path for path in sorted(folder.rglob("*.py")) if path.name != "conftest.py"]
    return [path for path in found if not path.stem.endswith("_test")]


def imported(path: Path) -> Iterator[str]:
    """Yield the names of all modules that a module imports, now or later."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(CORE), ids=lambda path: path.name)
def test_the_core_never_imports_pants(path: Path) -> None:
    packages = {name.partition(".")[0] for name in imported(path)}
    assert not packages & {"pants", "azureml_pants"}


@pytest.mark.parametrize(
    "path", modules(PLUGIN), ids=lambda path: str(path.relative_to(PLUGIN.parent))
)
def test_a_backend_imports_only_itself_and_what_is_shared(path: Path) -> None:
    own = path.relative_to(PLUGIN).parts[0]
    below = SHARED[: SHARED.index(own)] if own in SHARED else SHARED
    used = {name.split(".")[1] for name in imported(path) if name.startswith("azureml_pants.")}
    assert used <= {own, *below}


@pytest.mark.parametrize("path", modules(PLUGIN), ids=lambda path: path.name)
def test_a_module_serves_one_generation_of_pants(path: Path) -> None:
    # Pants reads a rule's whole syntax tree, so a branch that is not taken must be valid, too.
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tested = [
        name
        for node in ast.walk(tree)
        if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Try))
        for part in ([node] if isinstance(node, ast.Try) else [node.test])
        for name in _names(part)
    ]
    assert not {"PANTS_SEMVER", "version_info", "ImportError"} & set(tested)


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
