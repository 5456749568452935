"""Which of several targets is the owner of a file."""

from __future__ import annotations

from collections.abc import Iterable

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonResolveField, PythonSourceField
from pants.backend.shell.target_types import ShellSourceField
from pants.core.target_types import FileSourceField, ResourceSourceField
from pants.engine.addresses import Address
from pants.engine.target import Target

# What can be sent, most specific first. A file can be code for one target and data for another.
# `shell_source` exists only where pants.toml enables that backend; the class always does.
SNAPSHOT_SOURCES = (PythonSourceField, ShellSourceField, ResourceSourceField, FileSourceField)


def best_owner(
    targets: Iterable[Target], resolve: str, python_setup: PythonSetup
) -> Address | None:
    """Return the owner to depend on: code of the same resolve, else resources, else files.

    Among equals the one in the nearest BUILD file, then the first by name.
    """
    ranked = []
    for target in targets:
        kind = next((k for k, f in enumerate(SNAPSHOT_SOURCES) if target.has_field(f)), None)
        if kind is None or not _has_resolve(target, resolve, python_setup):
            continue
        # All of their folders contain the file, so the longer path is the deeper one.
        depth = len(target.address.spec_path)
        ranked.append((kind, -depth, target.address))
    return min(ranked)[2] if ranked else None


def _has_resolve(target: Target, resolve: str, python_setup: PythonSetup) -> bool:
    if not target.has_field(PythonResolveField):
        return True
    return target[PythonResolveField].normalized_value(python_setup) == resolve


def runs_module(target: Target, module: str) -> bool:
    """Return whether `python -m module` runs `target`, which Pants names as the module's owner.

    For `x.mian` Pants also names `x/__init__.py`, because the package may define that name.
    """
    if not target.has_field(PythonSourceField):
        return True
    path = "/" + target[PythonSourceField].file_path
    stem = "/" + module.replace(".", "/")
    return path.endswith((f"{stem}.py", f"{stem}/__main__.py"))


def importers(
    edges: Iterable[tuple[Address, Iterable[Address]]], root: Address
) -> dict[Address, Address]:
    """Map each address that `root` reaches to the one through which it is reached first.

    `edges` are `(address, its dependencies)`; the shortest chain wins, ties by name.
    """
    dependencies = {address: sorted(found) for address, found in edges}
    reached: dict[Address, Address] = {}
    layer = [root]
    while layer:
        following = []
        for address in layer:
            for dependency in dependencies.get(address, ()):
                if dependency != root and dependency not in reached:
                    reached[dependency] = address
                    following.append(dependency)
        layer = following
    return reached
