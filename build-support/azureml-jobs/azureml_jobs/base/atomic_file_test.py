from __future__ import annotations

import os
from pathlib import Path

import pytest
from azureml_jobs.base.files import write_file


@pytest.mark.parametrize("content", ["é\udcff", "é".encode() + b"\xff"], ids=["text", "bytes"])
def test_writes_text_and_bytes(tmp_path: Path, content: str | bytes) -> None:
    write_file(tmp_path / "a", content)
    assert (tmp_path / "a").read_bytes() == "é".encode() + b"\xff"


def test_keeps_the_mode_of_a_file_and_gives_a_new_one_0644(tmp_path: Path) -> None:
    file = tmp_path / "a"
    write_file(file, "old")
    assert file.stat().st_mode & 0o777 == 0o644
    file.chmod(0o600)
    write_file(file, "new")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "a", "old")

    def full_disk(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space left"):
        write_file(tmp_path / "a", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"
