from __future__ import annotations

from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.files import (
    SIZE_WARNING_BYTES,
    BundleFile,
    check_links,
    context_warnings,
    size_warnings,
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "a repository"
    (folder / "src").mkdir(parents=True)
    (folder / "src/a.py").write_text("")
    return folder


def test_accepts_files_and_links_that_stay_inside(repository: Path) -> None:
    (repository / "src/b.py").symlink_to("a.py")
    (repository / "lib").symlink_to(repository / "src")
    check_links(repository, ["src/a.py", "src/b.py", "lib/b.py", "src/generated.py"], "x")


def test_accepts_a_repository_that_is_reached_by_a_link(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(repository)
    check_links(tmp_path / "alias", ["src/a.py"], "x")


@pytest.mark.parametrize(
    ("link", "target", "path", "message"),
    [
        pytest.param("src/b.py", "/etc/hosts", "src/b.py", "leads out", id="a link to a file"),
        pytest.param("lib", "..", "lib/outside", "leads out", id="below a link to a folder"),
        pytest.param("src/b.py", "b.py", "src/b.py", "in a circle", id="a link to itself"),
        pytest.param("src/b.py", "gone.py", "src/b.py", "leads nowhere", id="a dangling link"),
    ],
)
def test_refuses_a_link_that_leads_elsewhere(
    repository: Path, tmp_path: Path, link: str, target: str, path: str, message: str
) -> None:
    (tmp_path / "outside").write_text("")
    (repository / link).symlink_to(target)
    with pytest.raises(JobError, match=f"x: {path} is a symbolic link .*{message}") as caught:
        check_links(repository, ["src/a.py", path], "x")
    assert caught.value.status == 2


def test_refuses_a_circle_of_several_links(repository: Path) -> None:
    (repository / "src/b").symlink_to("c")
    (repository / "src/c").symlink_to("b")
    with pytest.raises(JobError, match="in a circle"):
        check_links(repository, ["src/b/a.py", "src/c"], "x")


def large(name: str, size: int) -> BundleFile:
    return BundleFile("", name, "", "", Path(name), size, "", False)


def test_warns_of_a_large_snapshot_and_names_the_largest_files() -> None:
    sizes = [("a.bin", 60), ("b.bin", 30), ("c.py", 1), ("d.bin", 20)]
    files = [large(name, size * 1024 * 1024) for name, size in sizes]
    (warning,) = size_warnings(files)
    assert warning.startswith("the snapshot is 116 MB, and Azure ML's limit is 315 MB.")
    assert "The largest files: a.bin (63 MB), b.bin" in warning
    assert "d.bin (21 MB)" in warning and "c.py" not in warning


@pytest.mark.parametrize("sizes", [(), (SIZE_WARNING_BYTES,)], ids=["nothing", "at the limit"])
def test_does_not_warn_up_to_the_limit(sizes: tuple[int, ...]) -> None:
    assert not list(size_warnings([large("a", size) for size in sizes]))


def test_warns_of_many_files() -> None:
    file = large("a", 1)
    assert not list(size_warnings([file] * 2000)) and not list(context_warnings([file] * 100))
    assert "2001 files" in next(size_warnings([file] * 2001))
    assert "101 files" in next(context_warnings([file] * 101))
