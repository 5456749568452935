"""What a person sees of a job that failed in its own code."""

from __future__ import annotations

import shlex
import sys

import pytest
from azureml_jobs.conftest import JOB, Gathered
from azureml_jobs.docker.container import Container
from azureml_jobs.local.code_sources import CodeSources, SourcePaths
from azureml_jobs.local.conftest import Jobs, create
from azureml_jobs.local.folder import JobFolder
from azureml_jobs.protocol import PackagesVenv


def failing(gathered: Gathered, command: str) -> JobFolder:
    """Create a job of this command and the files that were added."""
    folder = create(gathered, JOB.replace("python -m exp.main", command))
    record = folder.read()
    record.python = ""
    folder.save(record)
    return folder


def printed(gathered: Gathered, folder: JobFolder) -> str:
    status, _, err = Jobs(gathered.repository).run(folder)
    assert status
    return err.decode()


def test_shows_a_traceback_once_with_the_paths_of_the_repository(
    gathered: Gathered, venv: PackagesVenv
) -> None:
    gathered.add("src/exp/main.py", "import common\ncommon.fail()\n")
    gathered.add("src/common.py", "def fail():\n    raise ValueError('bad')\n")
    script = shlex.quote(sys.executable)
    folder = failing(gathered, f"PYTHONPATH=. {script} exp/main.py #")
    message = printed(gathered, folder)
    assert message.count("ValueError: bad") == 1
    for path, line in (("src/exp/main.py", 2), ("src/common.py", 2)):
        assert f'  File "{gathered.repository}/{path}", line {line}, in ' in message
    assert str(folder.work) not in message
    assert f'{gathered.repository}/src/common.py"' in folder.log.read_text()


def test_finds_a_path_of_the_container_in_any_pieces(
    gathered: Gathered, venv: PackagesVenv
) -> None:
    gathered.add("src/exp/main.py", "")
    folder = failing(gathered, "exit 1 #")
    record = folder.read()
    record.container = Container("n", "i", "d", "/mnt/wd", "1:1")
    text = b'a\n  File "/mnt/wd/exp/main.py", line 1\n  File "/mnt/wd/exp/b.py", line 1\nend'
    expected = text.replace(b"/mnt/wd/exp/main", b"%s/src/exp/main" % bytes(gathered.repository))
    for size in (1, 7, 30, len(text)):
        paths = SourcePaths(CodeSources(folder, record))
        pieces = [paths.take(text[start : start + size]) for start in range(0, len(text), size)]
        assert b"".join([*pieces, paths.take(b"")]) == expected
    # A line that is not of a traceback does not wait for its end.
    assert paths.take(b"Epoch 1: 50%") == b"Epoch 1: 50%"


READ = "import pathlib, sys; pathlib.Path({}).read_text()\n"


@pytest.mark.parametrize(
    "opened, line",
    [
        ("", '`experiment(files=["words.txt"])` in src/exp/BUILD'),
        ("'words.txt'", 'src/exp/words.txt: write `experiment(files=["words.txt"])` in '),
        ("'exp/words.txt'", 'src/exp/words.txt: write `experiment(files=["words.txt"])` in '),
        ("__file__).with_name('words.txt'", "src/exp/words.txt: write `experiment("),
        ("'common/names.csv'", 'src/common/names.csv: write `files(name="opened", sources='),
        ("'sent.txt'", "finds it as `exp/sent.txt`; in Python write `Path(__file__).parent / "),
        ("'nowhere.txt'", ""),
        ("'new/' + 300 * 'x'", ""),
        ("'../../../x'", ""),
    ],
    ids=[
        "of the shell",
        "in its folder",
        "by its place",
        "absolute",
        "shared",
        "sent",
        "no file",
        "a long name",
        "outside",
    ],
)
def test_says_what_to_write_for_a_file_that_was_not_sent(
    gathered: Gathered, venv: PackagesVenv, opened: str, line: str
) -> None:
    gathered.add("src/exp/main.py", READ.format(opened))
    command = f"{shlex.quote(sys.executable)} exp/main.py #" if opened else "cat exp/words.txt #"
    gathered.add("src/common/a.py", "")
    gathered.add("src/exp/sent.txt", "")
    for name in ("src/exp/words.txt", "src/common/names.csv", "src/exp/new/old"):
        gathered.write(name, "")
    message = printed(gathered, failing(gathered, command))
    assert "No such file or directory" in message
    if line:
        assert line in message.rpartition(" Failed after ")[2]
    else:
        assert "write `" not in message and "the command ended with exit status 1" in message
