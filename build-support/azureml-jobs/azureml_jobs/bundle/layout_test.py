from __future__ import annotations

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.files import lay_out
from azureml_jobs.protocol import NeededFile

JOB_FILE = "src/exp/job.yaml"


def named(folder: str, name: str) -> NeededFile:
    return NeededFile(f"{folder}/{name}", name, "", "")


def test_lays_files_out_in_the_order_of_their_names() -> None:
    files = [named("src/exp", "z.py"), named("src", "common/a.py"), named("src/exp", "b.py")]
    assert [(name, file.path) for name, file in lay_out(files, JOB_FILE).items()] == [
        ("b.py", "src/exp/b.py"),
        ("common/a.py", "src/common/a.py"),
        ("z.py", "src/exp/z.py"),
    ]


def test_accepts_a_file_that_is_listed_twice() -> None:
    file = named("src", "a.py")
    assert lay_out([file, file], JOB_FILE) == {"a.py": file}


def test_refuses_two_files_with_one_name() -> None:
    files = [named("src/exp", "common/a.py"), named("src", "common/a.py")]
    with pytest.raises(JobError) as caught:
        lay_out(files, f"{JOB_FILE}: code")
    assert str(caught.value).startswith(
        "src/exp/job.yaml: code: two files with one name in the snapshot: "
        "src/common/a.py and src/exp/common/a.py would both become common/a.py."
    )
    assert "`code: ..`" in caught.value.remedy


def test_refuses_a_file_where_another_needs_a_folder() -> None:
    files = [named("src/exp", "common"), named("src", "common/deep/a.py")]
    with pytest.raises(JobError) as caught:
        lay_out(files, "a:local: files")
    assert caught.value.where == "a:local: files"
    assert "src/common/deep/a.py needs a folder common, which src/exp/common becomes" in str(
        caught.value
    )


def test_names_every_clash() -> None:
    files = [named(root, name) for root in ("a", "b") for name in ("x", "y")]
    with pytest.raises(JobError, match="a/x and b/x .*; a/y and b/y would both become y"):
        lay_out(files, JOB_FILE)
