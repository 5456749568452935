from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from azureml_jobs.base.files import make_folder, write_file


def test_writes_text_and_bytes_and_keeps_the_mode_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    write_file(file, "é\udcff")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == ("é".encode() + b"\xff", 0o644)
    file.chmod(0o600)
    write_file(file, b"\xff")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"\xff", 0o600)


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


@pytest.mark.parametrize("exists", [True, False], ids=["of an older version", "new"])
def test_the_folder_of_the_workspace_is_its_owner_s_alone(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "repository/.azureml"
    if exists:
        folder.mkdir(mode=0o755, parents=True)
    make_folder(folder / "jobs/a")
    write_file(folder / "jobs/a/record.json", "{}")
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder / "jobs/a/record.json")]
    assert modes == [0o700, 0o600]
    # A folder that is not ours is left as it is.
    assert stat.S_IMODE(folder.parent.stat().st_mode) & 0o055
