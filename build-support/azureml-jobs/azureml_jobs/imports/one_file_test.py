from __future__ import annotations

from pathlib import Path

from azureml_jobs.conftest import cases, write_files
from azureml_jobs.imports.one_file import outside_modules
from azureml_jobs.imports.questions import answer_from_folder


@cases(
    "text, expected",
    {
        "own code": ("import beside, above, common.tool", []),
        "a module of a folder": ("from common import tool", []),
        "relative": ("from . import beside\nfrom .beside import x", []),
        "Python's own": ("import json, os.path\nfrom xml import etree", []),
        "a package": ("import numpy.linalg", ["numpy.linalg"]),
        "no package": ("import beside.gone", ["beside.gone"]),
        "a module that does not exist": ("import common.gone", ["common.gone"]),
        "a relative one that does not exist": ("from .gone import x", [".gone"]),
        "another part": ("from google.cloud import storage", ["google.cloud"]),
        "a folder that the file adds": (
            "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'lib'))\n"
            "import inner",
            [],
        ),
    },
)
def test_finds_what_no_file_is(tmp_path: Path, text: str, expected: list[str]) -> None:
    empty = "job/beside.py job/lib/inner.py above.py ../common/tool.py ../google/own.py".split()
    write_files(tmp_path / "src/x", {**dict.fromkeys(empty, ""), "job/main.py": text})
    asking = outside_modules(
        "src/x/job/main.py",
        ("src/x/job", "src/x", "src"),
        python=(3, 11),
        standard_library=frozenset({"json", "os", "sys", "xml"}),
    )
    found = answer_from_folder(tmp_path, asking, (3, 11))
    assert [each.module for each in found] == expected
