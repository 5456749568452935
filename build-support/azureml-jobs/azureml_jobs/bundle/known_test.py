from __future__ import annotations

import os
from pathlib import Path

import pytest
from azureml_jobs.bundle import known
from azureml_jobs.bundle.data import data_digest


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Return the large files that are read, in files that settle at once."""
    found: list[Path] = []
    read = known.file_digest

    def noted(path: Path) -> str:
        found.append(path)
        return read(path)

    monkeypatch.setattr(known, "file_digest", noted)
    monkeypatch.setattr(known, "_LARGE_BYTES", 3)
    monkeypatch.setattr(known, "_SETTLED_SECONDS", -1.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return found


def test_reads_data_again_only_when_it_has_changed(tmp_path: Path, reads: list[Path]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a").write_text("1234")
    first = data_digest(data)
    assert data_digest(data) == first and len(reads) == 1
    # Another content of the same size and time.
    times = (data / "a").stat()
    (data / "a").write_text("1235")
    os.utime(data / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert data_digest(data) != first and len(reads) == 2


def test_what_has_just_changed_is_read_again(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "_SETTLED_SECONDS", 60.0)
    (tmp_path / "a").write_text("1234")
    assert data_digest(tmp_path / "a") == data_digest(tmp_path / "a") and len(reads) == 2


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[1]",
        '{"rules": 1}',
        '{"rules": "", "known": 1}',
        '{"rules": "", "known": {"x": 1}}',
    ],
)
def test_a_damaged_memory_is_none(tmp_path: Path, reads: list[Path], content: str) -> None:
    kept = tmp_path / "cache/azureml-jobs/data-digests.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(content.replace("x", str(tmp_path / "a")))
    (tmp_path / "a").write_text("1234")
    assert data_digest(tmp_path / "a").sha256 and len(reads) == 1
