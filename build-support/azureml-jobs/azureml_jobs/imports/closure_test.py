"""What is sent and reported for layouts as they are in real repositories."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.conftest import cases, write_files
from azureml_jobs.imports import questions
from azureml_jobs.imports.closure import Launch, find_closure
from azureml_jobs.imports.questions import answer_from_folder
from azureml_jobs.imports.result import Closure
from azureml_jobs.jobfile.command.code import Code
from azureml_jobs.jobfile.command.read import read_command

WHERE = "src/x/azure-ml-job.yaml: command"
CODE = "src/x/azure-ml-job.yaml: code"


def close(
    folder: Path,
    files: Mapping[str, str],
    command: str,
    code: str | None = "src/x",
    includes: tuple[str, ...] = (),
    is_named: bool = True,
    python: tuple[int, int] = (3, 11),
    **options: Any,
) -> Closure:
    """Return the closure of a command in a repository of these files with the source root `src`."""
    write_files(folder, files)
    launch = Launch(
        Code(code, CODE, includes, is_named),
        ("src",),
        read_command(command),
        WHERE,
        python,
        **options,
    )
    return answer_from_folder(folder, find_closure(launch), python)


def sent(closure: Closure) -> list[str]:
    return sorted(each.name for each in closure.files)


def first_lines(messages: tuple[str, ...]) -> list[str]:
    return [message.partition("\n")[0] for message in messages]


SHARED = {"src/common/__init__.py": "", "src/common/y.py": "", "src/x/utils.py": ""}


@cases(
    "code, command, main, expected",
    {
        "next to it": ("src/x", "python main.py", "import utils", "main.py utils.py"),
        "next to a script": ("src", "python x/main.py", "import utils", "x/main.py x/utils.py"),
        "after cd": ("src", "cd x && python -m main", "import utils", "x/main.py x/utils.py"),
        "shared code": (
            "src/x",
            "python main.py",
            "from common import y",
            "common/__init__.py common/y.py main.py",
        ),
        "relative": (
            "src",
            "python -m x.main",
            "from . import utils\nfrom x.utils import a",
            "x/main.py x/utils.py",
        ),
        "PYTHONPATH": (
            "",
            "PYTHONPATH=src python -m x.main",
            "import x.utils, common.y",
            "src/common/__init__.py src/common/y.py src/x/main.py src/x/utils.py",
        ),
        "sys.path": (
            "src",
            "python x/main.py",
            "sys.path.append(os.path.dirname(os.path.dirname(__file__)))\nimport common.y",
            "common/__init__.py common/y.py x/main.py",
        ),
        "a single file": (
            "src/x/main.py",
            "python main.py",
            "import common",
            "common/__init__.py main.py",
        ),
        "a file of the command": (
            "src/x",
            "python main.py --config conf/a.yaml",
            "",
            "conf/a.yaml main.py",
        ),
        "a folder of the command": (
            "src/x",
            "cp -r conf out && python main.py",
            "",
            "conf/a.yaml conf/deep/b.yaml main.py",
        ),
        "a pattern": ("src/x", "python main.py conf/*.yaml", "", "conf/a.yaml main.py"),
        "a shell script": ("src/x", "bash run.sh", "import utils", "main.py run.sh utils.py"),
        "python -c": ("src/x", "python -c 'import utils'", "", "utils.py"),
        "an executable script": ("src/x", "./tool", "", "common/__init__.py tool"),
        "a launcher": ("src/x", "my-launcher main.py", "import utils", "main.py utils.py"),
        "a folder": ("src/x", "python pkg", "import inner", "pkg/__main__.py pkg/inner.py"),
        "a package's main": ("src/x", "python -m pkg", "", "pkg/__main__.py pkg/inner.py"),
    },
)
def test_sends_what_python_loads(
    tmp_path: Path, code: str, command: str, main: str, expected: str
) -> None:
    files = {
        **SHARED,
        "src/x/main.py": f"import os, sys\n{main}\n",
        "src/x/conf/a.yaml": "",
        "src/x/conf/deep/b.yaml": "",
        "src/x/conf/BUILD": "",
        "src/x/run.sh": "python main.py\n",
        "src/x/tool": "#!/usr/bin/env python\nimport common\n",
        "src/x/pkg/__main__.py": (
            "import inner\n" if command == "python pkg" else "import pkg.inner"
        ),
        "src/x/pkg/inner.py": "",
        "src/x/unused.py": "",
    }
    closure = close(tmp_path, files, command, code)
    assert sent(closure) == expected.split()
    assert closure.errors == closure.modules == closure.warnings == ()


@cases(
    "files, command, options, expected",
    {
        "a module of the code before one of a source root": (
            {
                "main.py": "import common.y",
                "common/__init__.py": "",
                "common/y.py": "",
                "../common/y.py": "raise",
            },
            "python main.py",
            {},
            "common/__init__.py common/y.py main.py",
        ),
        "a namespace package in the code and in a source root": (
            {"main.py": "import ns.a, ns.b", "ns/a.py": "", "../ns/b.py": ""},
            "python main.py",
            {},
            "main.py ns/a.py ns/b.py",
        ),
        "what targets declare": (
            {
                "main.py": "import importlib",
                "m/__init__.py": "",
                "m/tree.py": "from .base import Base\nimport common",
                "m/base.py": "",
                "../../data/a.csv": "",
            },
            "python main.py",
            {"extra": ("src/x/m/tree.py", "data/a.csv")},
            "common/__init__.py data/a.csv m/__init__.py m/base.py m/tree.py main.py",
        ),
        "additional includes under their last names": (
            {
                "main.py": "import lib.a, single",
                "../../other/lib/a.py": "",
                "../../other/lib/data.txt": "",
                "../../other/single.py": "import common",
            },
            "python main.py",
            {"includes": ("other/lib", "other/single.py")},
            "common/__init__.py lib/a.py lib/data.txt main.py single.py",
        ),
        "what the command itself installs": (
            {"main.py": "import mine", "pyproject.toml": "", "src/mine.py": ""},
            "pip install . && python main.py",
            {},
            "main.py pyproject.toml src/mine.py utils.py",
        ),
        "names of source roots without code of its own": (
            {"local.py": "import common\nimport utils", "../../tools/t.py": ""},
            "PYTHONPATH=. python x/local.py && python tools/t.py",
            {"code": None},
            "common/__init__.py tools/t.py x/local.py x/utils.py",
        ),
    },
)
def test_sends_what_is_laid_out(
    tmp_path: Path, files: dict[str, str], command: str, options: dict[str, Any], expected: str
) -> None:
    repository = SHARED | {posixpath.normpath(f"src/x/{path}"): files[path] for path in files}
    closure = close(tmp_path, repository, command, **options)
    assert sent(closure) == expected.split()
    assert closure.errors == closure.modules == ()
    assert close(tmp_path, repository, command, **options) == closure


@pytest.mark.parametrize("suffix", [".so", ".abi3.so", ".cpython-311-x86_64-linux-gnu.so"])
def test_sends_extension_modules(tmp_path: Path, suffix: str) -> None:
    files = {"src/x/main.py": "import fast", f"src/x/fast{suffix}": "", "src/x/fast.py": ""}
    assert sent(close(tmp_path, files, "python main.py")) == [f"fast{suffix}", "main.py"]


@cases(
    "code, command, main, module, nearest, remedy",
    {
        "code below the name of its source root": (
            "src/x",
            "python main.py",
            "import x.utils",
            "x.utils",
            "src/x/utils.py",
            "Write `import utils`, or `code: ..` with `python -m x.main`.",
        ),
        "a script that needs the root": (
            "src",
            "python x/main.py",
            "from common import y",
            "common",
            "src/common/__init__.py",
            "Write `python -m x.main` in place of `python x/main.py`.",
        ),
        "code above the source root": (
            "",
            "python -m x.main",
            "",
            "x.main",
            "src/x/main.py",
            "Write `python -m src.x.main`, or `PYTHONPATH=src python -m x.main`.",
        ),
        "a module that expects a script": (
            "src",
            "python -m x.main",
            "import x.sub.a",
            "sub.b",
            "src/x/sub/b.py",
            "Write `import x.sub.b`, or `PYTHONPATH=x python -m x.main`.",
        ),
    },
)
def test_names_the_file_that_is_meant_and_what_to_write(
    tmp_path: Path, code: str, command: str, main: str, module: str, nearest: str, remedy: str
) -> None:
    files = {
        **SHARED,
        "src/x/main.py": f"{main}\n",
        "src/x/sub/a.py": "import sub.b",
        "src/x/sub/b.py": "",
    }
    (found,) = close(tmp_path, files, command, code).modules
    assert (found.module, found.nearest, found.remedy) == (module, nearest, remedy)


@cases(
    "command, main, expected",
    {
        "a relative import in a script": (
            "python main.py",
            "from . import utils",
            "src/x/main.py:1: `from . import utils` is relative to a package, and Python loads "
            "this file without one.",
        ),
        "no submodule": (
            "python main.py",
            "import common.gone",
            "src/x/main.py:1: no file is the module `common.gone`.",
        ),
        "no name of a package": (
            "python main.py",
            "from common import gone",
            "src/x/main.py:1: no file is the module `common.gone`.",
        ),
        "no package": (
            "python main.py",
            "import utils.gone",
            "src/x/main.py:1: `utils` is no package, but the file src/x/utils.py.",
        ),
        "a script": ("python mian.py", "", f"{WHERE}: it runs mian.py, which does not exist."),
        "a shell script": ("bash run.sh", "", f"{WHERE}: it runs run.sh, which does not exist."),
        "a package without a main": (
            "python -m common",
            "",
            f"{WHERE}: it runs common, which does not exist.",
        ),
    },
)
def test_reports_what_cannot_work(tmp_path: Path, command: str, main: str, expected: str) -> None:
    closure = close(tmp_path, {**SHARED, "src/x/main.py": main}, command)
    assert first_lines(closure.errors) == [expected]


def test_names_the_nearest_script_and_where_names_begin(tmp_path: Path) -> None:
    (error,) = close(tmp_path, {"src/x/main.py": ""}, "python mian.py").errors
    assert "Did you mean `main.py`? Names are relative to the folder of `code:`, src/x." in error
    (error,) = close(tmp_path, {}, "python x/main.py").errors
    assert "Did you mean `main.py`?" in error
    files = {"src/x/y/__init__.py": "", "src/x/y/train.py": ""}
    (error,) = close(tmp_path, files, "python -m y.tarin").errors
    assert "Did you mean `y.train`?" in error
    (error,) = close(tmp_path, {"train.py": ""}, "python train.py").errors
    assert "There is train.py: write `code: ../..`." in error


def test_names_a_code_folder_that_does_not_exist(tmp_path: Path) -> None:
    (error,) = close(tmp_path, SHARED, "python main.py", code="src/comon").errors
    assert error.startswith(f"{CODE}: there is no folder or file src/comon.")
    assert "Did you mean src/common?" in error


def test_what_an_earlier_command_makes_is_a_warning(tmp_path: Path) -> None:
    command = "git clone https://a.b/apex && cd apex && python setup.py install"
    closure = close(tmp_path, {"src/x/main.py": ""}, command)
    assert closure.errors == ()
    assert f"{WHERE}: it runs apex/setup.py, which does not exist." in first_lines(closure.warnings)


@pytest.mark.parametrize(
    "main, expected",
    [
        ("import torch", [("torch", (), False)]),
        ("from google.cloud import storage", [("google.cloud", ("storage",), False)]),
        ("import json, xml.dom", []),
        ("try:\n    import torch\nexcept ImportError:\n    pass", [("torch", (), True)]),
        ("if TYPE_CHECKING:\n    import torch", [("torch", (), True)]),
        ("import torch  # pants: no-infer-dep", []),
        ("if sys.version_info < (3, 8):\n    import torch", []),
        ("import folder", [("folder", (), True)]),
        ("from folder import a, b", [("folder", ("b",), False)]),
        ("import folder.gone", [("folder.gone", (), False)]),
        ("import open_package.gone", [("open_package.gone", (), False)]),
        ("from open_package import gone", [("open_package", ("gone",), False)]),
    ],
)
def test_leaves_to_packages_what_no_file_is(
    tmp_path: Path, main: str, expected: list[tuple[str, tuple[str, ...], bool]]
) -> None:
    files = {
        "src/x/main.py": main,
        "src/x/folder/a.py": "",
        "src/x/open_package/__init__.py": "__path__ = extend_path(__path__, __name__)",
    }
    closure = close(tmp_path, files, "python main.py")
    assert [(each.module, each.names, each.is_optional) for each in closure.modules] == expected
    assert closure.errors == ()


def test_a_search_path_that_only_the_run_knows_leaves_a_doubt(tmp_path: Path) -> None:
    main = "import sys, common.gone\nsys.path.append(sys.argv[1])\nimport gone"
    closure = close(tmp_path, {**SHARED, "src/x/main.py": main}, "python main.py")
    assert [each.is_certain for each in closure.modules] == [False]
    assert closure.errors == ()
    assert len(closure.warnings) == 1


def test_warns_of_a_file_that_the_code_opens(tmp_path: Path) -> None:
    files = {
        "src/x/main.py": "names = 'zero2.json', 'sent.json', 'other.py', '../common/c.json'",
        "src/x/zero2.json": "",
        "src/x/sent.json": "",
        "src/x/other.py": "",
        "src/common/c.json": "",
    }
    warnings = close(tmp_path, files, "python x/main.py x/sent.json", code="src").warnings
    assert [warning.replace("\n\n", " ") for warning in warnings] == [
        'src/x/main.py:1: "../common/c.json" names src/common/c.json, which is not sent. If the '
        'job needs it, write `files(name="opened", sources=["c.json"])` in src/common/BUILD, and '
        '`experiment(dependencies=["//src/common:opened"])` in src/x/BUILD.',
        'src/x/main.py:1: "other.py" names src/x/other.py, which is not sent. If the job needs it, '
        'write `experiment(entry_point="other.py")` in src/x/BUILD.',
        'src/x/main.py:1: "zero2.json" names src/x/zero2.json, which is not sent. If the job needs '
        'it, write `experiment(files=["zero2.json"])` in src/x/BUILD.',
    ]


def test_sends_a_file_that_a_module_finds_next_to_itself(tmp_path: Path) -> None:
    files = {
        "src/x/main.py": "import common.settings",
        "src/common/settings.py": (
            "HERE = Path(__file__).parent\nopen(HERE / 'defaults.yaml')\nopen(HERE / 'more' / name)"
        ),
        "src/common/defaults.yaml": "",
        "src/common/more/a.yaml": "",
    }
    closure = close(tmp_path, files, "python main.py")
    assert sent(closure) == ["common/defaults.yaml", "common/settings.py", "main.py"]
    assert closure.files[0].why == "named in src/common/settings.py:2"
    assert first_lines(closure.warnings) == [
        "src/common/settings.py:3: it names the folder common/more, of which nothing is sent."
    ]


def test_follows_scripts_of_other_languages(tmp_path: Path) -> None:
    files = {
        "src/x/r/train.R": 'source("lib/utils.R")\ndata <- read.csv("iris.csv")\n',
        "src/x/lib/utils.R": "library(optparse)",
        "src/x/iris.csv": "",
    }
    closure = close(tmp_path, files, "Rscript r/train.R")
    assert sent(closure) == ["lib/utils.R", "r/train.R"]
    assert first_lines(closure.warnings) == [
        'src/x/r/train.R:2: "iris.csv" names src/x/iris.csv, which is not sent.'
    ]


def test_warns_when_nothing_of_the_code_that_a_job_names_is_sent(tmp_path: Path) -> None:
    files = {"src/x/Makefile": ""}
    *_, warning = close(tmp_path, files, "echo hello").warnings
    assert warning.startswith(f"{WHERE}: no file of src/x is sent")
    assert close(tmp_path, files, "echo hello", is_named=False).warnings == ()


@pytest.mark.parametrize(
    "module, similar",
    [("comon.a", "src/common/__init__.py"), ("colections", "collections of Python"), ("zzz", None)],
)
def test_names_the_module_of_the_nearest_name(
    tmp_path: Path, module: str, similar: str | None
) -> None:
    files = {
        "src/main.py": f"import {module}",
        "src/common/__init__.py": "",
        "src/completion.py": "",
    }
    (found,) = close(tmp_path, files, "python main.py", "src", missing=frozenset({module})).modules
    assert found.similar == similar


def test_a_package_of_the_environment_asks_nothing_of_other_experiments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {f"src/other_{number}/__init__.py": "" for number in range(3)}
    files = {"src/x/__init__.py": "", "src/x/main.py": "import numpy", **others}
    asked: list[str] = []
    names_in = questions._names_in

    def listening(folder: Path) -> frozenset[str]:
        asked.append(folder.relative_to(tmp_path).as_posix())
        return names_in(folder)

    monkeypatch.setattr(questions, "_names_in", listening)
    assert [each.module for each in close(tmp_path, files, "python -m x.main", "src").modules]
    assert "src" in asked
    assert [each for each in asked if "other" in each] == []


def test_a_file_of_another_dotted_name_is_only_a_hint(tmp_path: Path) -> None:
    # Whether a package of an unknown environment has that name, nobody here knows.
    files = {
        "src/main.py": "import common.client",
        "src/common/client.py": "from handler import retry",
        "src/common/handler.py": "def retry(): ...",
    }
    (found,) = close(tmp_path, files, "python main.py", "src").modules
    assert (found.nearest, found.similar) == (None, "src/common/handler.py")


BROKEN = "x = 1\ndef f(:\n"
NEWER = "type X = int\n"


@cases(
    "files, command, expected",
    {
        "run": (
            {"main.py": BROKEN},
            "python main.py",
            "src/x/main.py:2: this is not valid Python (",
        ),
        "refused by the compiler alone": (
            {"main.py": "import a", "a.py": "def f():\n    pass\nreturn 1\n"},
            "python main.py",
            "src/x/a.py:3: this is not valid Python ('return' outside function: `return 1`)",
        ),
        "not in its encoding": (
            {"main.py": "import a", "a.py": "a = 'caf\udce9'\n"},
            "python main.py",
            "src/x/a.py:1: this is not valid Python ((unicode error)",
        ),
        "run by a script": (
            {"run.sh": "python main.py", "main.py": BROKEN},
            "bash run.sh",
            "src/x/main.py:2: this is not valid Python",
        ),
    },
)
def test_refuses_what_no_python_can_load(
    tmp_path: Path, files: dict[str, str], command: str, expected: str
) -> None:
    written = {f"src/x/{path}": text for path, text in files.items()}
    (error,) = close(tmp_path, written, command).syntax_errors
    assert error.startswith(expected)


def test_refuses_the_syntax_of_a_newer_python_for_the_image_alone(tmp_path: Path) -> None:
    closure = close(tmp_path, {"src/x/main.py": NEWER}, "python main.py")
    assert closure.syntax_errors == closure.warnings == ()
    (error,) = closure.version_errors
    assert error.startswith("src/x/main.py:1: this is not valid Python 3.11 (")


@pytest.mark.parametrize(
    "command, extra",
    [("python main.py --template templates", ()), ("python main.py", ("src/x/templates/a.py",))],
    ids=["in a folder that the command names", "declared"],
)
def test_doubts_a_file_that_may_be_there_for_its_text_alone(
    tmp_path: Path, command: str, extra: tuple[str, ...]
) -> None:
    files = {"src/x/main.py": "", "src/x/templates/a.py": "{{ name }} = \n"}
    closure = close(tmp_path, files, command, extra=extra)
    assert closure.syntax_errors == closure.version_errors == ()
    (warning,) = closure.warnings
    assert warning.startswith("src/x/templates/a.py:1: this may not be valid Python (")


def test_takes_newer_syntax_for_a_newer_image_without_a_verdict(tmp_path: Path) -> None:
    newer = (3, sys.version_info.minor + 1)
    closure = close(tmp_path, {"src/x/main.py": NEWER}, "python main.py", python=newer)
    assert closure.syntax_errors == closure.version_errors == ()
