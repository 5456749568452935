from __future__ import annotations

import contextlib
from pathlib import Path
from posixpath import normpath

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.files import (
    SIZE_WARNING_BYTES,
    BundleFile,
    check_links,
    context_warnings,
    lay_out,
    size_warnings,
)
from azureml_jobs.conftest import cases
from azureml_jobs.imports.overlay import Overlay
from azureml_jobs.jobfile.paths import leads_out
from azureml_jobs.protocol import NeededFile
from hypothesis import given
from hypothesis import strategies as st


def named(folder: str, name: str) -> NeededFile:
    return NeededFile(f"{folder}/{name}", name, "", "")


def test_lays_files_out_in_the_order_of_their_names() -> None:
    files = [named("src/exp", "z.py"), named("src", "common/a.py"), named("src/exp", "z.py")]
    assert [(name, file.path) for name, file in lay_out(files, "").items()] == [
        ("common/a.py", "src/common/a.py"),
        ("z.py", "src/exp/z.py"),
    ]


@cases(
    "files, what",
    {
        "one name": (
            [named(root, name) for root in ("a", "b") for name in ("x", "y")],
            "a/x and b/x would both become x; a/y and b/y would both become y",
        ),
        "a file where another needs a folder": (
            [named("src/exp", "common"), named("src", "common/deep/a.py")],
            "src/common/deep/a.py needs a folder common, which src/exp/common becomes",
        ),
    },
)
def test_refuses_two_files_with_one_name(files: list[NeededFile], what: str) -> None:
    with pytest.raises(JobError) as caught:
        lay_out(files, "job.yaml: code")
    message = f"job.yaml: code: two files with one name in the snapshot: {what}.\n\n"
    assert str(caught.value).startswith(message) and "`code: ..`" in caught.value.remedy


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "a repository"
    (folder / "src").mkdir(parents=True)
    (folder / "src/a.py").write_text("")
    return folder


def test_accepts_files_and_links_that_stay_inside(repository: Path, tmp_path: Path) -> None:
    (repository / "src/b.py").symlink_to("a.py")
    (repository / "lib").symlink_to(repository / "src")
    (tmp_path / "alias").symlink_to(repository)
    for root in (repository, tmp_path / "alias"):
        check_links(root, ["src/a.py", "src/b.py", "lib/b.py", "src/generated.py"], "x")


@cases(
    "links, path, message",
    {
        "a link to a file": ({"src/b.py": "/etc/hosts"}, "src/b.py", "leads out"),
        "below a link to a folder": ({"lib": ".."}, "lib/outside", "leads out"),
        "a link to itself": ({"src/b.py": "b.py"}, "src/b.py", "in a circle"),
        "a longer circle": ({"src/b": "c", "src/c": "b"}, "src/c", "in a circle"),
        "a dangling link": ({"src/b.py": "gone.py"}, "src/b.py", "leads nowhere"),
    },
)
def test_refuses_a_link_that_leads_elsewhere(
    repository: Path, tmp_path: Path, links: dict[str, str], path: str, message: str
) -> None:
    (tmp_path / "outside").write_text("")
    for link, target in links.items():
        (repository / link).symlink_to(target)
    with pytest.raises(JobError, match=f"x: {path} is a symbolic link .*{message}") as caught:
        check_links(repository, ["src/a.py", path], "x")
    assert caught.value.status == 2


def large(name: str, size: int) -> BundleFile:
    return BundleFile("", name, "", "", Path(name), size, "", False)


def test_warns_of_large_and_of_many_files() -> None:
    sizes = [("a.bin", 60), ("b.bin", 30), ("c.py", 1), ("d.bin", 20)]
    (warning,) = size_warnings([large(name, size * 1024 * 1024) for name, size in sizes])
    assert warning.startswith("the snapshot is 116 MB, and Azure ML's limit is 315 MB.")
    assert "The largest files: a.bin (63 MB), b.bin" in warning
    assert "d.bin (21 MB)" in warning and "c.py" not in warning
    assert not list(size_warnings([large("a", SIZE_WARNING_BYTES)]))
    file = large("a", 1)
    assert not list(size_warnings([file] * 2000)) and not list(context_warnings([file] * 100))
    assert "2001 files" in next(size_warnings([file] * 2001))
    assert "101 files" in next(context_warnings([file] * 101))


FOLDERS = st.sampled_from(["", "src", "src/a", "src/a/b", "lib"])
NAMES = st.text("ab é'\"\t\\[]*?!#:-ü", min_size=1, max_size=4)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@given(
    st.lists(st.tuples(FOLDERS, PATHS).map("/".join), max_size=4),
    st.none() | FOLDERS,
    st.lists(FOLDERS, max_size=3),
)
def test_the_layout_never_escapes(paths: list[str], code: str | None, roots: list[str]) -> None:
    overlay = Overlay(code, tuple(roots))
    files = [normpath(path).lstrip("/") for path in paths]
    needed = [NeededFile(path, overlay.name_of(path), "", "") for path in files]
    held = [file for file in needed if overlay.holds(file.path)]
    for file in held:
        assert not leads_out(normpath(file.name)) and file.path.endswith(file.name)
    with contextlib.suppress(JobError):
        assert {file.path for file in lay_out(held, "").values()} == {file.path for file in held}
