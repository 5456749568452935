"""Local jobs seen and steered from other processes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.download import DownloadResult
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.progress import Progress
from azureml_jobs.local.cancel import cancel
from azureml_jobs.local.describe import describe, summary
from azureml_jobs.local.download import download
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.process import job_processes
from azureml_jobs.local.state import current_record
from azureml_jobs.local.stream import stream

_STREAM = """
import pathlib, sys
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.local.stream import stream
sys.exit(stream(JobFolder(pathlib.Path(sys.argv[1])), sys.stdout.buffer))
"""

FOREVER = "echo up; sleep 60 & wait"


def start_stream(jobs: Any, folder: JobFolder) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", _STREAM, str(folder.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=jobs.environment(),
    )
    jobs.started.append(process)
    return process


def files_below(folder: Path) -> list[str]:
    paths = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def left_of(folder: JobFolder) -> list[int]:
    return [each.pid for each in job_processes(str(folder.path), None)]


@pytest.fixture
def orphan(jobs: Any) -> Iterator[JobFolder]:
    """A job that goes on while its runner has been killed."""
    folder: JobFolder = jobs.new(FOREVER)
    process = jobs.start(folder)
    assert process.stdout.readline() == b"up\n"
    process.kill()
    process.wait()
    yield folder
    for pid in left_of(folder):
        os.kill(pid, signal.SIGKILL)


def test_streams_a_running_job_from_another_process(jobs: Any) -> None:
    folder = jobs.new("echo one; while [ ! -e go ]; do sleep 0.02; done; echo two >&2; exit 4")
    runner = jobs.start(folder)
    follower = start_stream(jobs, folder)
    assert follower.stdout is not None
    assert follower.stdout.readline() == b"one\n"
    (folder.work / "go").touch()
    assert follower.stdout.read() == b"two\n"
    assert follower.wait(10) == runner.wait(10) == 4


def test_streams_a_job_that_has_ended(jobs: Any) -> None:
    folder = jobs.new("printf 'a\\xff'; exit 6")
    jobs.run(folder)
    out = io.BytesIO()
    assert stream(folder, out) == 6
    assert out.getvalue() == b"a\xff"


def test_streams_until_its_reader_goes(jobs: Any) -> None:
    folder = jobs.new("head -c 500000 /dev/zero; exit 3")
    jobs.run(folder)
    follower = start_stream(jobs, folder)
    assert follower.stdout is not None and follower.stderr is not None
    follower.stdout.read(1)
    follower.stdout.close()
    assert follower.wait(10) == 141
    assert follower.stderr.read() == b""


def test_sees_that_a_runner_was_killed(jobs: Any, orphan: JobFolder) -> None:
    assert stream(orphan, io.BytesIO()) == 1
    record = orphan.read()
    assert (record.status, record.error) == ("Failed", "the runner was killed")
    assert [each.status for each in jobs.workspace.jobs()] == ["Failed"]


def test_cancels_what_a_killed_runner_left(orphan: JobFolder) -> None:
    assert left_of(orphan)
    assert cancel(orphan).status == "Canceled"
    assert left_of(orphan) == []


def test_cancels_it_also_when_it_is_recorded_as_failed(orphan: JobFolder) -> None:
    assert current_record(orphan).status == "Failed"
    assert cancel(orphan).status == orphan.read().status == "Canceled"
    assert left_of(orphan) == []
    with pytest.raises(JobError):
        cancel(orphan)


def test_cancels_from_another_process(jobs: Any) -> None:
    folder = jobs.new("trap 'touch cleaned; exit' TERM; " + FOREVER)
    runner = jobs.start(folder)
    runner.stdout.readline()
    # Notices the end of the runner, as its parent `./pants` does.
    waiter = threading.Thread(target=runner.wait)
    waiter.start()
    record = cancel(folder)
    waiter.join()
    assert (record.status, record.exit_code) == ("Canceled", 143)
    assert runner.returncode == 143
    assert (folder.work / "cleaned").exists()
    assert left_of(folder) == []


def test_never_signals_a_process_that_got_the_runner_s_number(jobs: Any) -> None:
    folder = jobs.new("true")
    with subprocess.Popen(["sleep", "60"]) as other:
        record = folder.read()
        record.status, record.pid, record.pid_identity = "Running", other.pid, "another start"
        record.pgid, record.pgid_identity = other.pid, "another start"
        folder.save(record)
        assert cancel(folder).status == "Canceled"
        assert other.poll() is None
        other.kill()


def test_does_not_judge_jobs_of_another_machine(jobs: Any) -> None:
    folder = jobs.new("true")
    record = folder.read()
    record.status, record.pid, record.pid_identity = "Running", 1, "x"
    record.host = "elsewhere pid:[1]"
    folder.save(record)
    assert current_record(folder).status == "Running"
    with pytest.raises(JobError, match="the job runs on elsewhere"):
        cancel(folder)


def test_a_job_that_has_ended_is_not_canceled(jobs: Any) -> None:
    folder = jobs.new("true")
    jobs.run(folder)
    with pytest.raises(JobError, match="has ended already, its status is Completed"):
        cancel(folder)


def test_a_canceled_job_is_not_started(jobs: Any) -> None:
    folder = jobs.new("touch ../started")
    assert cancel(folder).status == "Canceled"
    assert jobs.run(folder)[0] == 2
    assert not (folder.path / "started").exists()


def test_a_job_that_nobody_started_fails_in_the_end(jobs: Any) -> None:
    folder = jobs.new("true", created="2026-01-01T00:00:00.000000+00:00")
    assert current_record(folder).error == "the job was never started"


def test_lists_the_newest_first_and_skips_what_is_no_job(jobs: Any) -> None:
    names = [jobs.new("true").name for _ in range(3)]
    broken = {"empty": None, "text": "{", "foreign": "{}", "later": '{"format": 99, "name": "x"}'}
    for name, content in broken.items():
        (jobs.workspace.jobs_folder / name).mkdir()
        if content is not None:
            (jobs.workspace.jobs_folder / name / "job.json").write_text(content)
    (jobs.workspace.jobs_folder / "file").touch()
    assert [each.name for each in jobs.workspace.jobs()] == names[::-1]


def test_summarises_a_job(jobs: Any) -> None:
    folder = jobs.new("true", address="src/x:job")
    assert summary(folder.read())["duration"] is None
    jobs.run(folder)
    row = summary(folder.read())
    assert (row["status"], row["address"], row["exit_code"]) == ("Completed", "src/x:job", 0)
    assert row["duration"] > 0


LOGGING = """
run=$(echo ../../../mlruns/*/$AZUREML_RUN_ID)
printf '1 0.5 0\\n2 nan 1\\n' > $run/metrics/loss
echo -n 3 > $run/params/depth
echo -n v > $run/tags/mine
echo figure > $run/artifacts/figure.png
mkdir outputs/sub; echo o > outputs/sub/o.txt; echo l > logs/l.txt; echo m > ../outputs/model/m.bin
echo said
"""


@pytest.fixture
def ended(jobs: Any) -> JobFolder:
    folder: JobFolder = jobs.new(
        LOGGING,
        outputs={"model": "/there"},
        environment_variables={"TOKEN": "secret value"},
        tags={"team": "a"},
    )
    assert jobs.run(folder)[0] == 0
    return folder


def test_describes_a_job_as_json(ended: JobFolder) -> None:
    text = json.dumps(describe(ended), allow_nan=False)
    shown = json.loads(text)
    assert shown["metrics"] == {"loss": "NaN"}
    assert [point["step"] for point in shown["metric_history"]["loss"]] == [0, 1]
    assert shown["params"] == {"depth": "3"}
    assert (shown["tags"]["team"], shown["tags"]["mine"]) == ("a", "v")
    assert shown["environment_variables"] == ["TOKEN"]
    assert "secret value" not in text
    assert shown["artifacts"] == [
        "figure.png",
        "logs/l.txt",
        "outputs/sub/o.txt",
        "user_logs/std_log.txt",
    ]
    assert shown["log"] == str(ended.log)


def test_downloads_in_azure_ml_s_layout(ended: JobFolder, tmp_path: Path) -> None:
    target = tmp_path / "new" / "down load"
    assert download(ended, target) == DownloadResult(5, "Completed")
    assert files_below(target) == [
        "artifacts/figure.png",
        "artifacts/logs/l.txt",
        "artifacts/outputs/sub/o.txt",
        "artifacts/user_logs/std_log.txt",
        "named-outputs/model/m.bin",
    ]
    assert (target / "artifacts/user_logs/std_log.txt").read_text() == "said\n"
    assert [each.name for each in target.parent.iterdir()] == ["down load"]


def test_downloads_one_output_into_an_empty_folder(ended: JobFolder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert download(ended, tmp_path / "empty", "model").files == 1
    assert files_below(tmp_path / "empty") == ["named-outputs/model/m.bin"]


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


def test_names_the_outputs_that_there_are(ended: JobFolder, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no output `modle`.*\n\nIts outputs: default, model."):
        download(ended, tmp_path / "x", "modle")


def test_does_not_download_over_something(ended: JobFolder, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(JobError, match="is not empty"):
        download(ended, tmp_path / "full")
    assert [each.name for each in (tmp_path / "full").iterdir()] == ["file"]


GROWING = """
run=$(echo ../../../mlruns/*/$AZUREML_RUN_ID)
printf 'half a fi' > $run/artifacts/half.txt
echo finished > outputs/o.txt
echo up
while [ ! -e stop ]; do
  for i in $(seq 50); do echo "line $i of a log that grows"; done
  echo more >> outputs/growing.txt
  echo x > outputs/temporary; rm outputs/temporary
done
"""


def test_downloads_from_a_job_that_runs_what_there_is(jobs: Any, tmp_path: Path) -> None:
    folder = jobs.new(GROWING, outputs={"model": "/there"})
    with open(os.devnull, "wb") as nowhere:
        runner = jobs.start(folder, stdout=nowhere)
    jobs.until(lambda: (folder.work / "outputs/growing.txt").exists())
    logs = []
    for number in range(20):
        target = tmp_path / str(number)
        done = download(folder, target)
        assert (done.status, done.is_final) == ("Running", False)
        # It comes and goes all the time; who copies it has to bear both.
        assert set(done.left_out) <= {"artifacts/outputs/temporary"}
        found = set(files_below(target)) - {"artifacts/outputs/temporary"}
        assert found == {
            "artifacts/half.txt",
            *("artifacts/outputs/o.txt", "artifacts/outputs/growing.txt"),
            "artifacts/user_logs/std_log.txt",
        }
        assert (target / "artifacts/half.txt").read_text() == "half a fi"
        assert (target / "artifacts/outputs/o.txt").read_text() == "finished\n"
        assert (target / "named-outputs/model").is_dir()
        logs.append((target / "artifacts/user_logs/std_log.txt").read_bytes())
        # Copied while it grows, and each time there is more.
        jobs.until(lambda: folder.log.stat().st_size > len(logs[-1]))
    assert runner.poll() is None
    (folder.work / "stop").touch()
    assert runner.wait(20) == 0
    whole = folder.log.read_bytes()
    assert all(log and whole.startswith(log) for log in logs)
    assert len(logs[0]) < len(logs[-1]) < len(whole)
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_of_a_file_that_grows_it_takes_what_was_there(
    ended: JobFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azureml_jobs.local.download._READ_BYTES", 2)
    with open(ended.log, "ab") as log:

        def grow(self: Progress, moment: float) -> None:
            # As a job that prints faster than this copies.
            log.write(b"and more")
            log.flush()

        monkeypatch.setattr(Progress, "show", grow)
        # It would not end if it copied until there is no more.
        download(ended, tmp_path / "got", "default")
    got = (tmp_path / "got/artifacts/user_logs/std_log.txt").read_bytes()
    whole = ended.log.read_bytes()
    assert got.startswith(b"said\n") and whole.startswith(got) and len(got) < len(whole)


def test_names_what_went_away_meanwhile(
    jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = jobs.new("echo 1 > outputs/a; echo 2 > outputs/b; echo up; sleep 60")
    runner = jobs.start(folder)
    assert runner.stdout.readline() == b"up\n"
    # Between listing what there is and copying it.
    monkeypatch.setattr(
        Progress, "show", lambda *_: (folder.work / "outputs/b").unlink(missing_ok=True)
    )
    done = download(folder, tmp_path / "got")
    assert done == DownloadResult(2, "Running", ("artifacts/outputs/b",))
    assert files_below(tmp_path / "got") == [
        *("artifacts/outputs/a", "artifacts/user_logs/std_log.txt"),
    ]
    assert cancel(folder).status == "Canceled"
    # Of a job that has ended, nothing goes away by itself.
    (folder.work / "outputs/b").touch()
    with pytest.raises(JobError, match="No such file or directory"):
        download(folder, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_failed_download_leaves_nothing(ended: JobFolder, tmp_path: Path) -> None:
    os.mkfifo(ended.work / "outputs" / "pipe")
    target = tmp_path / "target"
    begun = time.monotonic()
    with pytest.raises(JobError, match="the download to .* failed"):
        download(ended, target)
    assert time.monotonic() - begun < 5
    assert not target.exists()
    assert not list(tmp_path.glob(".target*"))
