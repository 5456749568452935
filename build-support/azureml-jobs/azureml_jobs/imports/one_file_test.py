from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.imports.from_folder import answer_from_folder
from azureml_jobs.imports.one_file import outside_modules


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param("import beside, above, common.tool", [], id="own code"),
        pytest.param("from common import tool", [], id="a module of a folder"),
        pytest.param("from . import beside\nfrom .beside import x", [], id="relative"),
        pytest.param("import json, os.path\nfrom xml import etree", [], id="Python's own"),
        pytest.param("import numpy.linalg", ["numpy.linalg"], id="a package"),
        pytest.param("import beside.gone", ["beside.gone"], id="no package"),
        pytest.param("import common.gone", ["common.gone"], id="a module that does not exist"),
        pytest.param("from .gone import x", [".gone"], id="a relative one that does not exist"),
        pytest.param("from google.cloud import storage", ["google.cloud"], id="another part"),
        pytest.param(
            "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'lib'))\n"
            "import inner",
            [],
            id="a folder that the file adds",
        ),
    ],
)
def test_finds_what_no_file_is(tmp_path: Path, text: str, expected: list[str]) -> None:
    files = ["beside.py", "lib/inner.py", "../above.py", "../../common/tool.py"]
    for name in [*files, "../../google/own/a.py"]:
        path = tmp_path / "src/x/job" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "src/x/job/main.py").write_text(text)
    asking = outside_modules(
        "src/x/job/main.py",
        ("src/x/job", "src/x", "src"),
        python=(3, 11),
        standard_library=frozenset({"json", "os", "sys", "xml"}),
    )
    found = answer_from_folder(tmp_path, asking, (3, 11))
    assert [each.module for each in found] == expected
