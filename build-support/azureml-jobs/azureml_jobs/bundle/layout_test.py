from __future__ import annotations

import posixpath

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.layout import archive_path, lay_out
from azureml_jobs.jobfile.paths import leads_out
from azureml_jobs.protocol import NeededFile
from hypothesis import given
from hypothesis import strategies as st

JOB_FILE = "src/exp/job.yaml"


def named(folder: str, name: str) -> NeededFile:
    return NeededFile(f"{folder}/{name}", name, "", "")


@pytest.mark.parametrize(
    ("path", "root", "folder", "name"),
    [
        pytest.param("src/exp/main.py", "src", "src/exp", "main.py", id="in the code folder"),
        pytest.param("src/exp/a/b.py", "src", "src/exp", "a/b.py", id="further down"),
        pytest.param("src/common/a.py", "src", "src/exp", "common/a.py", id="in its source root"),
        pytest.param("src/exp/main.py", "src", "src", "exp/main.py", id="code: .. is the root"),
        pytest.param("lib/b/c.py", "lib", "src", "b/c.py", id="in another source root"),
        pytest.param("src/exp/main.py", "src", "", "src/exp/main.py", id="all of the repository"),
        pytest.param("src/exp/main.py", "src", None, "exp/main.py", id="no code folder"),
        pytest.param("docs/x.txt", "", "src", "docs/x.txt", id="in no source root"),
        pytest.param("src/expert/a.py", "src", "src/exp", "expert/a.py", id="a longer name"),
        pytest.param("src/exp/é ü.py", "src", "src/exp", "é ü.py", id="a name with a blank"),
    ],
)
def test_names_a_file_by_the_code_folder_else_by_its_source_root(
    path: str, root: str, folder: str | None, name: str
) -> None:
    assert archive_path(path, root, folder) == name


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


PARTS = st.sampled_from(["a", "b", "..c", "é", "a b"])
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
FOLDERS = st.none() | st.just("") | PATHS


@given(PATHS, st.just("") | PATHS, FOLDERS)
def test_never_leaves_the_snapshot(path: str, root: str, folder: str | None) -> None:
    name = archive_path(path, root, folder)
    assert name and path.endswith(name)
    assert not leads_out(posixpath.normpath(name))


@given(st.lists(st.builds(named, PATHS, PATHS), max_size=6, unique_by=lambda file: file.path))
def test_does_not_depend_on_the_order_of_files(files: list[NeededFile]) -> None:
    def outcome(given_files: list[NeededFile]) -> object:
        try:
            return list(lay_out(given_files, JOB_FILE).items())
        except JobError as error:
            return str(error)

    assert outcome(files) == outcome(files[::-1])
