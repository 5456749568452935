"""The repository of a record is rebuilt with real git, in a clone that leaves the user's alone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.bundle.conftest import commit, git, head, with_submodule
from azureml_jobs.bundle.data import data_digest
from azureml_jobs.bundle.git_command import remote_address
from azureml_jobs.bundle.git_state import git_state
from azureml_jobs.bundle.rebuild import add_own_files, rebuild
from azureml_jobs.conftest import cases, tree, write_files


@dataclass
class Record:
    """What a job of these files left behind."""

    folder: Path
    manifest: dict[str, Any]

    def rebuilt(self, repository: Path) -> Path:
        clone = self.folder.parent / "clone"
        shutil.rmtree(clone, ignore_errors=True)
        return rebuild(self.manifest, self.folder, repository, clone)


def recorded(folder: Path, files: list[str], where: Path) -> Record:
    state = git_state(folder, files, ["."])
    assert state is not None
    where.mkdir()
    (where / "changes.diff").write_bytes(state.diff)
    manifest = {
        "address": "src/x:job",
        "git": {"commit": state.commit, "problem": state.problem or None},
        "made": {"remote": remote_address(folder)},
        "data": [],
    }
    return Record(where, manifest)


def files_of(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def changed(folder: Path) -> dict[str, bytes]:
    """Change files in every way that git knows; return them all."""
    write_files(folder, {"src/a.py": b"a = 2\r\n", "src/new é.bin": b"\0\xff"})
    git(folder, "add", "src/a.py")
    write_files(folder, {"src/b.py": b"b = 3"})
    (folder / "src/gone.py").unlink()
    (folder / "src/b.py").chmod(0o755)
    return files_of(folder)


def test_the_clone_has_what_the_job_had_and_the_users_own_stays_as_it_is(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, "remote", "add", "origin", "https://host.example/x.git")
    then = changed(repository)
    record = recorded(repository, list(then), tmp_path / "record")
    git(repository, "checkout", "-q", "-f", "-b", "later")
    git(repository, "clean", "-q", "-f", "-d")
    write_files(repository, {"src/a.py": b"a = 9\n", "other.py": b""})
    commit(repository)
    write_files(repository, {"src/b.py": b"today"})
    before = tree(repository)
    root = record.rebuilt(repository)
    assert tree(repository) == before
    assert files_of(root) == then
    assert (root / "src/b.py").stat().st_mode & 0o111
    assert (head(root), remote_address(root)) == (
        record.manifest["git"]["commit"],
        "https://host.example/x.git",
    )
    # What runs there has the same record.
    again = recorded(root, list(then), tmp_path / "again")
    assert again.manifest == record.manifest
    assert (again.folder / "changes.diff").read_bytes() == (
        record.folder / "changes.diff"
    ).read_bytes()


def test_a_repository_may_be_a_folder_of_a_work_tree(repository: Path, tmp_path: Path) -> None:
    write_files(repository, {"src/a.py": b"changed"})
    record = recorded(repository / "src", ["a.py"], tmp_path / "record")
    root = record.rebuilt(repository / "src")
    assert root == tmp_path / "clone/src"
    assert (root / "a.py").read_bytes() == b"changed"


def test_a_submodule_is_that_of_the_commit_with_its_changes(
    repository: Path, tmp_path: Path
) -> None:
    inner = with_submodule(repository, tmp_path)
    write_files(inner, {"s.py": b"s = 2\n"})
    record = recorded(repository, ["lib/sub/s.py", "lib/sub/t.py"], tmp_path / "record")
    commit(inner)
    rebuilt = files_of(record.rebuilt(repository) / "lib/sub")
    assert rebuilt == {"s.py": b"s = 2\n", "t.py": b"t = 1\n"}


def test_a_commit_that_only_the_remote_has_is_fetched_into_the_clone(
    repository: Path, tmp_path: Path
) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for clone in (mine, theirs):
        git(tmp_path, "clone", "-q", str(repository), str(clone))
    write_files(theirs, {"src/a.py": b"theirs"})
    commit(theirs)
    record = recorded(theirs, [], tmp_path / "record")
    with pytest.raises(OutsideError, match="is neither here nor in .*a répo: of mine") as caught:
        record.rebuilt(mine)
    assert "Push it from where the job was started" in str(caught.value)
    git(theirs, "push", "-q", "origin", "HEAD:refs/heads/topic")
    before = tree(mine)
    assert (record.rebuilt(mine) / "src/a.py").read_bytes() == b"theirs"
    assert tree(mine) == before


@cases(
    "state, message",
    {
        "no git": (None, "git had no commit when the job was made"),
        "a refusal": ({"commit": None, "problem": "dubious"}, "rebuilt: dubious"),
    },
)
def test_a_record_without_a_commit_names_where_its_code_is(
    repository: Path, tmp_path: Path, state: Any, message: str
) -> None:
    record = recorded(repository, [], tmp_path / "record")
    record.manifest["git"] = state
    with pytest.raises(JobError, match=message) as caught:
        record.rebuilt(repository)
    assert caught.value.remedy == f"The code that ran is in {record.folder}/code."


def test_local_data_is_added_only_while_it_is_what_the_job_had(
    repository: Path, tmp_path: Path
) -> None:
    write_files(repository, {"config.env": b"A=1", "data/w/1/x.csv": b"1", "in/a.csv": b"a"})
    (repository / ".gitignore").write_text("/data\n/in\n/.azureml\n")
    (repository / ".azureml").mkdir()
    record = recorded(repository, [], tmp_path / "record")
    found = data_digest(repository / "in")
    record.manifest["data"] = [
        {"input": "x", "path": "in", "sha256": found.sha256},
        {"input": "asset", "asset": "azureml:w:1"},
    ]
    root = record.rebuilt(repository)
    add_own_files(record.manifest, repository, root)
    assert data_digest(root / "in") == found and not (root / "in").is_symlink()
    assert (root / "data/w/1/x.csv").read_bytes() == b"1"
    assert (root / "config.env").read_bytes() == b"A=1"
    assert (root / ".azureml").resolve() == repository / ".azureml"
    write_files(repository, {"in/a.csv": b"b"})
    root = record.rebuilt(repository)
    with pytest.raises(JobError, match="input x: in has changed since the job had it"):
        add_own_files(record.manifest, repository, root)
    shutil.rmtree(repository / "in")
    root = record.rebuilt(repository)
    with pytest.raises(JobError, match="input x: in is gone"):
        add_own_files(record.manifest, repository, root)
