"""What holds of every bundle, whatever is in the repository."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from posixpath import normpath
from typing import NamedTuple

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.files import lay_out
from azureml_jobs.bundle.manifest import manifest, read_manifest, units_of
from azureml_jobs.bundle.provenance import provenance_of
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.conftest import Gathered, tree
from azureml_jobs.imports.overlay import Overlay
from azureml_jobs.jobfile.paths import leads_out
from azureml_jobs.protocol import NeededFile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

# Each example is two repositories, with a dozen processes of git.
FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
NAMES = st.text("ab é'\"\t\\[]*?!#:-ü", min_size=1, max_size=4)
# Git cannot apply its own header of an empty file in a folder whose name ends with a blank.
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join).filter(lambda path: " /" not in path)
CONTENTS = st.sampled_from([b"", b"a\n", b"no end", b"a\r\nb\r\n", b"\xe9\n", bytes(range(256))])


class File(NamedTuple):
    content: bytes
    executable: bool


@st.composite
def trees(draw: st.DrawFn) -> dict[str, File]:
    """Draw files below `src`, none of which needs a folder that another one is."""
    drawn = draw(st.dictionaries(PATHS, st.builds(File, CONTENTS, st.booleans()), max_size=5))
    return {
        f"src/{path}.py": file
        for path, file in drawn.items()
        if not any(other.startswith(f"{path}.py/") for other in drawn)
    }


@pytest.fixture(scope="module", autouse=True)
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patched.setenv("GIT_CONFIG_NOSYSTEM", "1")
        for who in ("AUTHOR", "COMMITTER"):
            patched.setenv(f"GIT_{who}_NAME", "a")
            patched.setenv(f"GIT_{who}_EMAIL", "a@example.org")
        yield


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)


def bundled(gathered: Gathered, closure: list[str]) -> Path:
    """Write the bundle of a job with these files, as they are in the repository."""
    gathered.files.clear()
    for path in closure:
        file = gathered.repository / path
        gathered.add(path, file.read_bytes(), executable=os.access(file, os.X_OK))
    plan = gathered.plan()
    provenance, written = provenance_of(plan, gathered.repository), gathered.folder / "bundle"
    write_bundle(plan, provenance, written, gathered.repository, with_data=True)
    assert tree(written / "code").keys() <= {
        parent.as_posix() for file in plan.bundle.unit.code for parent in parents(file.path)
    }
    read = read_manifest(written)
    assert read == manifest(plan, provenance)
    (unit,) = units_of(read)
    assert unit["snapshot"]["sha256"] == plan.bundle.snapshot_digest
    return written


def sources_in(repository: Path) -> list[Path]:
    found = (path for path in repository.glob("src/**/*.py") if path.is_file())
    return sorted(path.relative_to(repository) for path in found)


def parents(path: str) -> list[Path]:
    return [Path(path), *Path(path).parents]


@FEW
@given(trees(), trees(), st.sets(st.integers(0, 4)), st.booleans())
@example({"src/a.py": File(b"1\n", False)}, {"src/a.py/b.py": File(b"2\n", True)}, set(), False)
def test_the_commit_and_the_diff_make_the_same_bundle_in_another_clone(
    committed: dict[str, File], edited: dict[str, File], gone: set[int], normalises: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = Gathered(Path(folder, "here"))
        git(here.repository, "init", "-q")
        edit(here.repository, committed)
        attributes = b"* text=auto\n" if normalises else b""
        (here.repository / ".gitattributes").write_bytes(attributes)
        git(here.repository, "add", "-A", "-f")
        git(here.repository, "commit", "-qm", "x", "--allow-empty")
        for number in gone & set(range(len(committed))):
            (here.repository / list(committed)[number]).unlink()
        edit(here.repository, edited)
        closure = [path for path in {**committed, **edited} if (here.repository / path).is_file()]
        first = bundled(here, closure)

        there = Gathered(Path(folder, "ein anderer Ort: ünter"))
        git(there.repository, "clone", "-q", str(here.repository), ".")
        if (diff := first / "changes.diff").stat().st_size:
            git(there.repository, "apply", "--whitespace=nowarn", str(diff))
        assert sources_in(there.repository) == sources_in(here.repository)
        # The umask of its user is another one, and the files are listed in another order.
        old = os.umask(0o077)
        try:
            second = bundled(there, closure[::-1])
        finally:
            os.umask(old)
        assert tree(second) == tree(first)


def edit(repository: Path, files: dict[str, File]) -> None:
    """Write files in place of whatever is there."""
    for path, file in files.items():
        target = repository / path
        for parent in (repository / each for each in Path(path).parents):
            if parent.is_file():
                parent.unlink()
        if target.is_dir():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(0o755 if file.executable else 0o644)


FOLDERS = st.sampled_from(["", "src", "src/a", "src/a/b", "lib"])


@given(
    st.lists(st.tuples(FOLDERS, PATHS).map("/".join), max_size=4),
    st.none() | FOLDERS,
    st.lists(FOLDERS, max_size=3),
)
def test_the_layout_never_escapes(paths: list[str], code: str | None, roots: list[str]) -> None:
    overlay = Overlay(code, tuple(roots))
    files = [normpath(path).lstrip("/") for path in paths]
    named = [NeededFile(path, overlay.name_of(path), "", "") for path in files]
    held = [file for file in named if overlay.holds(file.path)]
    for file in held:
        assert not leads_out(normpath(file.name)) and file.path.endswith(file.name)
    with contextlib.suppress(JobError):
        assert {file.path for file in lay_out(held, "").values()} == {file.path for file in held}
