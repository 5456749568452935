"""Markers become the name; all other text stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.experiment.name import ExperimentName
from azureml_jobs.experiment.template import NewFile, filled_template


def fill(root: Path, files: dict[str, bytes], *parts: str) -> list[NewFile]:
    for path, content in files.items():
        file = root / "template" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    name = ExperimentName(parts)
    return filled_template(root, "template", name, f"src/{name.path}")


@pytest.mark.parametrize(
    "parts, expected",
    [
        pytest.param(("x",), b"x src/x x ..", id="at the source root"),
        pytest.param(("t", "u", "x"), b"t.u.x src/t/u/x t-u-x ../../..", id="nested"),
    ],
)
def test_markers_become_the_name(tmp_path: Path, parts: tuple[str, ...], expected: bytes) -> None:
    text = b"{{module}} {{folder}} {{label}} {{code}}"
    assert fill(tmp_path, {"a.template": text}, *parts) == [NewFile("a", expected)]


@pytest.mark.parametrize(
    "content",
    [b"${{inputs.steps}}", b"{{ module }} {{other}} {module}", b"a\r\nb", b"\x00\xff{{", b""],
    ids=["expression", "other braces", "line ends", "binary", "empty"],
)
def test_other_text_stays(tmp_path: Path, content: bytes) -> None:
    assert fill(tmp_path, {"a.template": content}, "x") == [NewFile("a", content)]


def test_only_files_with_the_suffix_are_written(tmp_path: Path) -> None:
    files = {"README.md": b"", "b/.hidden.template": b"", "BUILD.template": b"", ".DS_Store": b""}
    assert [file.path for file in fill(tmp_path, files, "x")] == ["BUILD", "b/.hidden"]


def test_a_program_stays_one(tmp_path: Path) -> None:
    (tmp_path / "template").mkdir()
    (tmp_path / "template/run.sh.template").touch(mode=0o755)
    assert [file.executable for file in fill(tmp_path, {"a.template": b""}, "x")] == [False, True]


def test_a_missing_template_is_told(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="^template: there is no template"):
        fill(tmp_path, {}, "x")
