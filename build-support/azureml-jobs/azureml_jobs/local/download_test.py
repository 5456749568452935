"""Downloads of what a job produced."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.jobs import DownloadResult
from azureml_jobs.base.progress import Progress
from azureml_jobs.local.cancel import cancel
from azureml_jobs.local.download import download
from azureml_jobs.local.folder import JobFolder


def files_below(folder: Path) -> list[str]:
    paths = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def test_downloads_in_azure_ml_s_layout(ended: JobFolder, tmp_path: Path) -> None:
    target = tmp_path / "new" / "down load"
    assert download(ended, target) == DownloadResult(6, "Completed")
    assert files_below(target) == [
        "artifacts/figure.png",
        "artifacts/logs/l.txt",
        "artifacts/outputs/sub/o.txt",
        "artifacts/tree/MLmodel",
        "artifacts/user_logs/std_log.txt",
        "named-outputs/model/m.bin",
    ]
    assert (target / "artifacts/user_logs/std_log.txt").read_text() == "said\n"
    assert [each.name for each in target.parent.iterdir()] == ["down load"]


def test_downloads_one_output_into_an_empty_folder(ended: JobFolder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    assert download(ended, tmp_path / "link", "model").files == 1
    assert files_below(tmp_path / "empty") == ["named-outputs/model/m.bin"]
    assert (tmp_path / "link").is_symlink()


def test_a_download_keeps_modes_links_and_empty_folders(jobs: Any, tmp_path: Path) -> None:
    folder = jobs.new(
        "cd ../outputs/model; mkdir empty sub; echo x > run; chmod 750 run; "
        "touch -d @1700000000 run; ln -s run link; ln -s sub folder; ln -s nowhere dangling",
        outputs={"model": "/there", "other": "/there"},
    )
    assert jobs.run(folder)[0] == 0
    assert download(folder, tmp_path / "got", "model").files == 4
    model = tmp_path / "got/named-outputs/model"
    state = (model / "run").stat()
    assert (state.st_mode & 0o777, state.st_mtime) == (0o750, 1700000000)
    links = {name: os.readlink(model / name) for name in ("link", "folder", "dangling")}
    assert links == {"link": "run", "folder": "sub", "dangling": "nowhere"}
    assert (model / "empty").is_dir()
    download(folder, tmp_path / "other", "other")
    assert (tmp_path / "other/named-outputs/other").is_dir()


def test_rejects_what_it_cannot_download(ended: JobFolder, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no output `modle`.*\n\nIts outputs: default, model."):
        download(ended, tmp_path / "x", "modle")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(JobError, match="cannot be used: File name too long"):
        download(ended, tmp_path / ("n" * 300))
    with pytest.raises(JobError, match="is not empty"):
        download(ended, tmp_path / "full")
    assert [each.name for each in (tmp_path / "full").iterdir()] == ["file"]
    with pytest.raises(JobError, match="cannot be used: File name too long") as caught:
        download(ended, tmp_path / ("x" * 300))
    assert caught.value.status == 2


RUNNING = """
run=$(echo ../../../mlruns/*/$AZUREML_RUN_ID)
printf 'half a fi' > $run/artifacts/half.txt
echo 1 > outputs/a; echo 2 > outputs/b; echo up; sleep 60
"""


def test_downloads_what_a_running_job_has_and_reports_what_it_removed(
    jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = jobs.new(RUNNING, outputs={"model": "/there"})
    runner = jobs.start(folder)
    assert runner.stdout.readline() == b"up\n"
    # The record is written after the start, and so may come after the job's first output.
    jobs.until(lambda: folder.read().status == "Running")
    # The file goes away after it was listed and before it is copied.
    monkeypatch.setattr(
        Progress, "show", lambda *_: (folder.work / "outputs/b").unlink(missing_ok=True)
    )
    got = tmp_path / "got"
    done = download(folder, got)
    assert done == DownloadResult(3, "Running", ("artifacts/outputs/b",))
    assert files_below(got) == [
        *("artifacts/half.txt", "artifacts/outputs/a", "artifacts/user_logs/std_log.txt")
    ]
    assert (got / "artifacts/half.txt").read_text() == "half a fi"
    assert (got / "named-outputs/model").is_dir()
    assert cancel(folder).status == "Canceled"
    # Files of a job that has ended must not go away.
    (folder.work / "outputs/b").touch()
    with pytest.raises(JobError, match="No such file or directory"):
        download(folder, tmp_path / "again")
    assert not (tmp_path / "again").exists() and not list(tmp_path.glob(".*"))


def test_stops_at_the_size_that_a_growing_file_had(
    ended: JobFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azureml_jobs.local.download._READ_BYTES", 2)
    with open(ended.log, "ab") as log:

        def grow(self: Progress, now: float) -> None:
            # Like a job that prints faster than we copy.
            log.write(b"and more")
            log.flush()

        monkeypatch.setattr(Progress, "show", grow)
        download(ended, tmp_path / "got", "default")
    got = (tmp_path / "got/artifacts/user_logs/std_log.txt").read_bytes()
    whole = ended.log.read_bytes()
    assert got.startswith(b"said\n") and whole.startswith(got) and len(got) < len(whole)


def test_what_has_no_content_is_left_out_and_the_rest_arrives(
    ended: JobFolder, tmp_path: Path
) -> None:
    expected = download(ended, tmp_path / "before").files
    os.mkfifo(ended.work / "outputs" / "pipe")
    done = download(ended, tmp_path / "target")
    assert (done.left_out, done.files) == (("artifacts/outputs/pipe",), expected)


def test_a_failed_download_leaves_nothing(
    ended: JobFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("azureml_jobs.local.download._copy", fail)
    target = tmp_path / "target"
    with pytest.raises(JobError, match="the download to .* failed: .*No space left"):
        download(ended, target)
    assert not target.exists()
    assert not list(tmp_path.glob(".target*"))
