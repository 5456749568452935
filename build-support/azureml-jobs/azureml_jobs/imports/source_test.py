from __future__ import annotations

import json
from textwrap import dedent

import pytest
from azureml_jobs.imports.places import PathChange
from azureml_jobs.imports.source import Source, read_source
from azureml_jobs.imports.statements import Import

OPTIONAL = "optional"
SKIPPED = "skipped"
NEEDED = "needed"


def read(text: str, path: str = "main.py", python: tuple[int, int] = (3, 11)) -> Source:
    return read_source(dedent(text).encode(), path, python)


def modules(source: Source) -> list[str]:
    return [each.module for each in source.imports]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("import a.b, c as d", [Import("a.b", (), 0, 1), Import("c", (), 0, 1)]),
        ("from a import b, c", [Import("a", ("b", "c"), 0, 1)]),
        ("from . import b", [Import("", ("b",), 1, 1)]),
        ("from ..a.b import *", [Import("a.b", ("*",), 2, 1)]),
        ("def f():\n    import a", [Import("a", (), 0, 2)]),
        ("importlib.import_module('a.b')", [Import("a.b", (), 0, 1)]),
        ("__import__('a')", [Import("a", (), 0, 1)]),
        ("import_module('.a', package=__package__)", [Import("a", (), 1, 1)]),
        ("import_module('.a', 'b.c')", [Import("b.c.a", (), 0, 1)]),
        ("import_module(name)", []),
        ("import_module('not a module')", []),
    ],
)
def test_reads_imports(text: str, expected: list[Import]) -> None:
    assert read(text).imports == tuple(expected)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("if TYPE_CHECKING:\n    import a", OPTIONAL),
        ("if typing.TYPE_CHECKING:\n    import a", OPTIONAL),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import a", NEEDED),
        ("if not TYPE_CHECKING:\n    import a", NEEDED),
        ("if TYPE_CHECKING and x:\n    import a", OPTIONAL),
        ("if sys.version_info >= (3, 11):\n    import a", NEEDED),
        ("if sys.version_info < (3, 11):\n    import a", SKIPPED),
        ("if sys.version_info < (3, 11):\n    pass\nelse:\n    import a", NEEDED),
        ("if sys.version_info[0] == 2:\n    import a", SKIPPED),
        ("if sys.version_info.major < 3:\n    import a", SKIPPED),
        ("if sys.version_info[:2] < (3, 12):\n    import a", NEEDED),
        ("if six.PY2:\n    import a", SKIPPED),
        ("if sys.platform == 'win32':\n    import a", SKIPPED),
        ("if sys.platform in ('linux', 'darwin'):\n    import a", NEEDED),
        ("if sys.platform.startswith('win'):\n    import a", SKIPPED),
        ("if not sys.platform.startswith('win'):\n    import a", NEEDED),
        ("if os.name == 'nt' or sys.platform == 'cygwin':\n    import a", SKIPPED),
        ("if False:\n    import a", SKIPPED),
        ("if flag:\n    import a", NEEDED),
        ("try:\n    import a\nexcept ImportError:\n    a = None", OPTIONAL),
        ("try:\n    import a\nexcept ModuleNotFoundError:\n    a = None", OPTIONAL),
        ("try:\n    import a\nexcept (ValueError, ImportError):\n    a = None", OPTIONAL),
        ("try:\n    import a\nexcept Exception as error:\n    a = None", OPTIONAL),
        ("try:\n    import a\nexcept BaseException:\n    a = None", OPTIONAL),
        ("try:\n    import a\nexcept:\n    a = None", OPTIONAL),
        ("try:\n    pass\nexcept ImportError:\n    import a", OPTIONAL),
        ("try:\n    import a\nexcept ValueError:\n    pass", NEEDED),
        ("try:\n    import a\nexcept ImportError:\n    raise", NEEDED),
        ("try:\n    import a\nexcept ImportError:\n    sys.exit('install a')", NEEDED),
        ("try:\n    pass\nfinally:\n    import a", NEEDED),
        ("with contextlib.suppress(ImportError):\n    import a", OPTIONAL),
        ("with suppress(ValueError):\n    import a", NEEDED),
        ("import a  # pants: no-infer-dep", SKIPPED),
        ("from a import (  # pants: no-infer-dep\n    b,\n)", SKIPPED),
    ],
)
def test_knows_what_the_code_does_without(text: str, expected: str) -> None:
    found = read(text).imports
    assert [OPTIONAL if each.is_optional else NEEDED for each in found] == (
        [] if expected == SKIPPED else [expected]
    )


@pytest.mark.parametrize(
    "condition, expected",
    [
        ("__name__ == '__main__'", ("main", True)),
        ("__name__ != '__main__'", ("main", False)),
        ("__package__", ("packaged", True)),
        ("not __package__", ("packaged", False)),
        ("__package__ is None or __package__ == ''", ("packaged", False)),
        ("__package__ in (None, '')", ("packaged", False)),
    ],
)
def test_keeps_conditions_on_how_a_file_is_loaded(
    condition: str, expected: tuple[str, bool]
) -> None:
    first, second = read(f"if {condition}:\n    import a\nelse:\n    import b").imports
    assert first.conditions == (expected,)
    assert second.conditions == ((expected[0], not expected[1]),)


@pytest.mark.parametrize(
    "text",
    [
        "print 'Python 2'\nimport a\nfrom b.c import (d,\n    e)\n  import f",
        "import a\nfrom b.c import d, e # why\nmatch = case = ))\n\n    import f",
        "import a;\nfrom b.c import d, \\\n  e\n\timport f\n(",
    ],
)
def test_reads_lines_of_what_is_no_valid_python(text: str) -> None:
    source = read_source(text.encode(), "main.py", (3, 11))
    assert source.problem
    assert modules(source) == ["a", "b.c", "f"]
    assert source.imports[1].names[0] == "d"
    assert [each.is_optional for each in source.imports] == [False, False, True]


def test_reads_code_that_is_nested_too_deeply() -> None:
    assert modules(read("import a\nx = " + ".".join(["b"] * 3000) + "()\n")) == ["a"]
    assert modules(read("import a\nx = " + "(" * 3000 + ")" * 3000)) == ["a"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfimport a",
        b"# -*- coding: latin-1 -*-\n# \xe9\nimport a",
        b"# \xe9 in no declared encoding\nimport a",
        b"import os\r\nimport a\r\n",
        b"x = 1\x0c\nimport a",
    ],
)
def test_reads_every_encoding(content: bytes) -> None:
    assert "a" in modules(read_source(content, "main.py", (3, 11)))


def test_reads_the_code_cells_of_a_notebook() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["import no"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "!pip install x\n", "import a"]},
        {"cell_type": "code", "source": "%%bash\nimport no"},
        {"cell_type": "code", "source": "%%time\nimport b\nfiles = !ls\nb?"},
        {"cell_type": "code", "source": "if b:\n    !ls\nimport c"},
    ]
    source = read(json.dumps({"cells": cells}), "notebook.ipynb")
    assert modules(source) == ["a", "b", "c"]
    assert source.problem is None
    assert read("{}", "notebook.ipynb").imports == read("no JSON", "notebook.ipynb").imports == ()


@pytest.mark.parametrize(
    "text, expected",
    [
        ("open('zero2.json')", ["zero2.json"]),
        ("open('./conf/a.yaml')", ["conf/a.yaml"]),
        ("os.system('python -u sub/evaluate.py --fast')", ["sub/evaluate.py"]),
        ("run(f'bash {here}/a.sh b.sh', shell=True)", ["b.sh"]),
        ("print('see train.py for python')", []),
        ("open(os.path.join('conf', 'a.yaml'))", ["conf/a.yaml"]),
        ("Path('conf') / 'a.yaml'", ["a.yaml"]),
        ("'''A docstring.'''", []),
        ("f'{x}/a.yaml'", []),
        ("x = ('a sentence.', 'https://a.b/c', '/root/a', '*.csv', '..', 'word', '')", []),
    ],
)
def test_reads_strings_that_may_be_paths(text: str, expected: list[str]) -> None:
    assert [literal for literal, _ in read(text).literals] == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("sys.path.append('lib')", ("folder", "lib", False)),
        ("sys.path.insert(0, '..')", ("folder", "..", True)),
        ("sys.path.insert(1, os.getcwd())", ("folder", ".", True)),
        ("sys.path.append(os.path.dirname(os.path.abspath(__file__)))", ("file", ".", False)),
        ("sys.path.append(os.path.dirname(os.path.dirname(__file__)))", ("file", "..", False)),
        ("sys.path.append(os.path.join(os.path.dirname(__file__), '../lib'))",
         ("file", "../lib", False)),
        ("sys.path.append(os.path.dirname(__file__) + '/lib')", ("file", "lib", False)),
        ("sys.path.append(f'{os.path.dirname(__file__)}/lib')", ("file", "lib", False)),
        ("sys.path.append(str(Path(__file__).resolve().parent))", ("file", ".", False)),
        ("sys.path.append(str(Path(__file__).parents[1] / 'lib'))", ("file", "../lib", False)),
        ("ROOT = Path(__file__).parent.parent\nsys.path.append(str(ROOT))", ("file", "..", False)),
        ("sys.path.extend(['lib'])", ("folder", "lib", False)),
        ("sys.path.append(args.folder)", (None, "", False)),
        ("sys.path.append(sys.path.append)", (None, "", False)),
    ],
)  # fmt: skip
def test_reads_changes_of_the_search_path(text: str, expected: tuple[str, str, bool]) -> None:
    assert read(text).path_changes == (PathChange(*expected),)  # type: ignore[arg-type]


def test_reads_paths_that_are_put_together_from_the_file_s_own() -> None:
    text = """
        ROOT = Path(__file__).resolve().parents[1]
        CONFIG = ROOT / "cfg/default.yaml"
        with open(os.path.join(os.path.dirname(__file__), "a.json")) as file: ...
        open(ROOT / name)
        """
    assert read(text).own_files == (("../cfg/default.yaml", 3), ("a.json", 4))


def test_knows_the_names_that_a_module_binds() -> None:
    text = """
        import a.b, c as d
        from e import f
        X: int = 1
        def g(): local = 1
        class H: inner = 1
        for i in (): pass
        with open(x) as (j, k): pass
        """
    assert read(text).names == ("H", "X", "a", "d", "f", "g", "i", "j", "k")
    for dynamic in ("from a import *", "def __getattr__(name): ...", "globals()['a'] = 1"):
        assert read(dynamic).names is None


def test_reads_what_a_star_import_may_import() -> None:
    assert read("__all__ = ['a', 'b']\n__all__ += ['c']").exported == ("a", "b", "c")
