from __future__ import annotations

import pytest
from azureml_jobs.jobfile.command.entry_point import EntryPoint, declared_entry_point


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        pytest.param("train.py", "script", id="a file"),
        pytest.param("scripts/train", "script", id="a path"),
        pytest.param("exp.train", "module", id="a module"),
        pytest.param("train", "module", id="a module of one word"),
    ],
)
def test_a_field_names_a_file_or_a_module(value: str, kind: str) -> None:
    assert declared_entry_point(value) == EntryPoint(kind, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("point", "folder", "roots", "paths"),
    [
        pytest.param(
            EntryPoint("module", "exp.main"),
            "src",
            ("src", "lib"),
            (
                *("src/exp/main.py", "src/exp/main/__main__.py"),
                *("lib/exp/main.py", "lib/exp/main/__main__.py"),
            ),
            id="a module, or a package that can be run",
        ),
        pytest.param(
            EntryPoint("script", "main.py"),
            "src/exp",
            ("src",),
            (
                *("src/exp/main.py", "src/exp/main.py/__main__.py"),
                *("src/main.py", "src/main.py/__main__.py"),
            ),
            id="a script first below the code folder",
        ),
        pytest.param(
            EntryPoint("script", "src/exp/main.py"),
            "",
            (),
            ("src/exp/main.py", "src/exp/main.py/__main__.py"),
            id="a script below the repository's root",
        ),
        pytest.param(
            EntryPoint("script", "../common/tool.py"),
            "src/exp",
            ("src",),
            (
                *("src/common/tool.py", "src/common/tool.py/__main__.py"),
                *("common/tool.py", "common/tool.py/__main__.py"),
            ),
            id="a script next to the code folder",
        ),
        pytest.param(
            EntryPoint("script", "../../tool.py"), "src", ("src",), (), id="a script outside"
        ),
        pytest.param(
            EntryPoint("script", "..old/tool"),
            "",
            (),
            ("..old/tool", "..old/tool/__main__.py"),
            id="a name that begins with dots",
        ),
    ],
)
def test_lists_where_the_file_of_an_entry_point_may_be(
    point: EntryPoint, folder: str, roots: tuple[str, ...], paths: tuple[str, ...]
) -> None:
    assert point.candidate_paths(folder, roots) == paths


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        pytest.param(EntryPoint("module", "exp.main"), False, id="a module"),
        pytest.param(EntryPoint("module", "torch.distributed.run"), False, id="of a package"),
        pytest.param(EntryPoint("module", "pip"), True, id="pip"),
        pytest.param(EntryPoint("module", "http.server"), True, id="of the standard library"),
        pytest.param(EntryPoint("module", "sys"), True, id="built into Python"),
        pytest.param(EntryPoint("module", "cProfile"), True, id="a profiler"),
        pytest.param(
            EntryPoint("module", "jsonschema"), False, id="named almost like a module of Python"
        ),
        pytest.param(EntryPoint("module", "yaml"), False, id="an installed package"),
        pytest.param(EntryPoint("script", "http"), False, id="a script"),
    ],
)
def test_recognises_the_modules_of_python_itself(point: EntryPoint, expected: bool) -> None:
    assert point.is_part_of_python is expected
