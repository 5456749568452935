from __future__ import annotations

import pytest
from azureml_pants.code.owners import best_owner
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import (
    PythonResolveField,
    PythonSourceTarget,
    PythonTestTarget,
)
from pants.backend.shell.target_types import ShellSourceTarget
from pants.core.target_types import FileTarget, GenericTarget, ResourceTarget
from pants.engine.addresses import Address
from pants.engine.target import Target
from pants.testutil.option_util import create_subsystem


def owned(kind: type[Target], spec: str, resolve: str | None = None) -> Target:
    folder, _, name = spec.partition(":")
    fields = {} if kind is GenericTarget else {"source": "a.py"}
    if kind is PythonTestTarget:
        fields["source"] = "test_a.py"
    if resolve is not None:
        fields["resolve"] = resolve
    return kind(fields, Address(folder, target_name=name))


def python_setup(enable_resolves: bool = True) -> PythonSetup:
    return create_subsystem(
        PythonSetup,
        enable_resolves=enable_resolves,
        default_resolve="main",
        resolves={"main": "main.lock", "second": "second.lock"},
    )


CODE = owned(PythonSourceTarget, "src/x:code")
DATA = owned(FileTarget, "src/x:data")


@pytest.mark.parametrize(
    "targets, resolve, expected",
    [
        pytest.param([], "main", None, id="no target"),
        pytest.param([owned(GenericTarget, "src/x:all")], "main", None, id="no sources"),
        pytest.param([CODE], "main", "src/x:code", id="code of the default resolve"),
        pytest.param([CODE], "second", "src/x:code", id="code of another resolve"),
        pytest.param(
            [CODE, owned(PythonSourceTarget, "src/x:b", "second")],
            "second",
            "src/x:b",
            id="the one of the resolve",
        ),
        pytest.param([CODE, DATA], "second", "src/x:code", id="code before data of any resolve"),
        pytest.param([DATA, CODE], "main", "src/x:code", id="code before files"),
        pytest.param(
            [DATA, owned(ResourceTarget, "src:r")], "main", "src:r", id="resources before files"
        ),
        pytest.param(
            [DATA, owned(ShellSourceTarget, "src:s"), owned(ResourceTarget, "src/x:r")],
            "main",
            "src:s",
            id="shell scripts before data",
        ),
        pytest.param(
            [owned(PythonTestTarget, "src/x:t"), DATA], "main", "src/x:t", id="tests are code"
        ),
        pytest.param(
            [owned(FileTarget, ":top"), owned(FileTarget, "src:a"), DATA],
            "main",
            "src/x:data",
            id="the nearest BUILD file",
        ),
        pytest.param(
            [owned(FileTarget, "src/x:b"), owned(FileTarget, "src/x:a")],
            "main",
            "src/x:a",
            id="the first by name",
        ),
    ],
)
def test_chooses_one_owner_of_a_file(
    targets: list[Target], resolve: str, expected: str | None
) -> None:
    found = best_owner(targets, resolve, python_setup())
    assert (found and found.spec) == expected


def test_resolves_do_not_matter_when_they_are_off() -> None:
    setup = python_setup(enable_resolves=False)
    target = owned(PythonSourceTarget, "src/x:b", "second")
    jobs_resolve = CODE[PythonResolveField].normalized_value(setup)
    assert best_owner([target], jobs_resolve, setup) == target.address
