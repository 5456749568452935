from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from azureml_jobs.bundle.conftest import BEGINNING, commit, git, head, with_submodule
from azureml_jobs.bundle.git_command import remote_address
from azureml_jobs.bundle.git_state import GitState, git_state
from azureml_jobs.conftest import cases, tree, write_files

pytestmark = pytest.mark.usefixtures("home")

Change = Callable[[Path], None]


def known(repository: Path, paths: Iterable[str], removable: Sequence[str] = ()) -> GitState:
    """Return the state, and check that nothing in the repository has changed."""
    before = tree(repository)
    state = git_state(repository, list(paths), removable)
    assert tree(repository) == before
    assert state is not None
    return state


def applied(state: GitState, repository: Path, folder: Path) -> Path:
    """Return a checkout of the state's commit with its diff applied, as for reproducing a job."""
    git(folder.parent, "clone", "-q", "--no-checkout", str(repository), str(folder))
    if state.commit:
        git(folder, "checkout", "-q", state.commit)
    if state.diff:
        git(folder, "apply", "--whitespace=nowarn", given=state.diff)
    return folder


def test_there_is_no_diff_for_committed_files_or_for_none(repository: Path) -> None:
    assert known(repository, ["src/a.py", "src/b.py"]) == GitState(head(repository))
    assert known(repository, []) == GitState(head(repository))


def edit(path: str, content: bytes) -> Change:
    return lambda folder: write_files(folder, {path: content})


def stage(folder: Path) -> None:
    write_files(folder, {"src/a.py": b"a = 2\n" * 30})
    git(folder, "add", "src/a.py")


def stage_and_go_on(folder: Path) -> None:
    stage(folder)
    write_files(folder, {"src/a.py": b"a = 3\n"})


def drop_from_the_index(folder: Path) -> None:
    git(folder, "rm", "-q", "--cached", "src/a.py")


def ignore(folder: Path) -> None:
    write_files(folder, {".gitignore": b"*.bin\n", "src/a.bin": b"ignored"})


def run_bit(folder: Path) -> None:
    (folder / "src/a.py").chmod(0o755)


def normalise(folder: Path) -> None:
    write_files(folder, {".gitattributes": b"* text=auto\n"})
    commit(folder)
    write_files(folder, {"src/a.py": b"a = 1\r\n" * 30, "src/ü dos.py": b"1\r\n2\n"})


def in_a_merge(folder: Path) -> None:
    git(folder, "checkout", "-q", "-b", "other")
    write_files(folder, {"src/b.py": b"theirs\n"})
    commit(folder)
    git(folder, "checkout", "-q", "main")
    write_files(folder, {"src/b.py": b"ours\n"})
    commit(folder)
    subprocess.run(["git", "merge", "-q", "other"], cwd=folder, stdout=subprocess.DEVNULL)


NAMES = ["src/ü b.py", "src/\"q\" 's'.py", "src/tab\t.py", "src/a.py"]


@cases(
    "change, paths",
    {
        "staged": (stage, ["src/a.py"]),
        "staged and changed again": (stage_and_go_on, ["src/a.py"]),
        "unstaged": (edit("src/a.py", b"no newline"), ["src/a.py"]),
        "untracked": (edit("new/d.py", b"d\n"), ["new/d.py"]),
        "no longer in the index": (drop_from_the_index, ["src/a.py"]),
        "ignored": (ignore, ["src/a.bin"]),
        "a run bit": (run_bit, ["src/a.py"]),
        "CRLF that git would normalise": (normalise, ["src/a.py", "src/ü dos.py"]),
        "during a merge": (in_a_merge, ["src/a.py", "src/b.py"]),
        "binary": (edit("src/m.bin", bytes(range(256)) * 40), ["src/m.bin"]),
        "another encoding": (edit("src/l.py", "é".encode("latin-1")), ["src/l.py"]),
        "CRLF": (edit("src/dos.py", b"a\r\nb\r\n"), ["src/dos.py"]),
        "empty": (edit("src/e.py", b""), ["src/e.py"]),
        "names with blanks, quotes and other letters": (
            lambda folder: write_files(folder, dict.fromkeys(NAMES, b"1\n")),
            NAMES,
        ),
    },
)
def test_the_diff_restores_exactly_the_files(
    repository: Path, tmp_path: Path, change: Change, paths: list[str]
) -> None:
    change(repository)
    state = known(repository, paths)
    assert state.commit == head(repository)
    checkout = applied(state, repository, tmp_path / "checkout")
    for path in paths:
        assert (checkout / path).read_bytes() == (repository / path).read_bytes()
        assert os.access(checkout / path, os.X_OK) == os.access(repository / path, os.X_OK)


def test_the_diff_removes_a_deleted_file_and_leaves_out_others(
    repository: Path, tmp_path: Path
) -> None:
    write_files(repository, {"src/a.py": b"mine\n", "src/b.py": b"other\n", "new.py": b"other\n"})
    git(repository, "add", "new.py")
    for name in ("src/gone.py", "c.md"):
        (repository / name).unlink()
    state = known(repository, ["src/a.py", "src/gone.py", "src/never-there.py"])
    assert not (applied(state, repository, tmp_path / "checkout") / "src/gone.py").exists()
    assert b"mine" in state.diff
    assert not [name for name in (b"never-there", b"other", b"c.md") if name in state.diff]


@pytest.mark.parametrize("to_folder", [True, False], ids=["file to folder", "folder to file"])
def test_a_file_may_replace_a_folder(repository: Path, tmp_path: Path, to_folder: bool) -> None:
    path = "src/a.py/x.py" if to_folder else "src"
    if to_folder:
        (repository / "src/a.py").unlink()
    else:
        shutil.rmtree(repository / "src")
    write_files(repository, {path: b"new\n"})
    checkout = applied(known(repository, [path]), repository, tmp_path / "checkout")
    assert (checkout / path).read_bytes() == b"new\n"


def test_the_diff_removes_files_whose_absence_counts(repository: Path, tmp_path: Path) -> None:
    write_files(repository, {"src/kept.py": b"kept = 1\n", "src/linked/d.py": b"d = 1\n"})
    commit(repository)
    for name in ("src/gone.py", "src/linked/d.py", "c.md"):
        (repository / name).unlink()
    (repository / "src/linked").rmdir()
    (repository / "src/linked").symlink_to(".")
    git(repository, "rm", "-q", "--cached", "src/kept.py")
    state = known(repository, ["src/a.py"], ["*.py"])
    checkout = applied(state, repository, tmp_path / "checkout")
    assert not (checkout / "src/gone.py").exists() and (checkout / "src/linked").is_symlink()
    assert (checkout / "src/kept.py").exists() and (checkout / "c.md").exists()


def test_files_outside_of_a_sparse_checkout_are_not_gone(repository: Path) -> None:
    write_files(repository, {"lib/d.py": b"d = 1\n"})
    commit(repository)
    git(repository, "sparse-checkout", "set", "src")
    assert not (repository / "lib/d.py").exists()
    assert known(repository, ["src/a.py"], ["*.py"]).diff == b""


@pytest.mark.parametrize("name", ["build-support/a.py", "build-support/new.py", "src/b.py"])
def test_says_whether_the_tools_are_those_of_the_commit(repository: Path, name: str) -> None:
    write_files(repository, {"build-support/a.py": b"1"})
    commit(repository)
    assert not known(repository, ["src/a.py"], ["*.py"]).tools_changed
    write_files(repository, {name: b"2"})
    state = known(repository, ["src/a.py"], ["*.py"])
    assert state.tools_changed == name.startswith("build-support") and not state.diff


def test_git_that_refuses_says_why(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    state = git_state(repository, ["src/a.py"])
    assert state is not None and state.commit is None
    (warning,) = state.warnings
    assert "dubious ownership" in warning
    assert f"git config --global --add safe.directory '{repository}'" in warning
    monkeypatch.delenv("GIT_TEST_ASSUME_DIFFERENT_OWNER")
    (repository / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (repository / ".git/refs/heads/main").write_text(f"{'12' * 20}\n")
    broken = git_state(repository, ["src/a.py"])
    assert broken is not None and "12" * 20 in broken.problem


@pytest.mark.parametrize("format_name", ["sha1", "sha256"])
def test_there_is_no_commit_before_the_first(tmp_path: Path, format_name: str) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    git(folder, "init", "-q", f"--object-format={format_name}")
    write_files(folder, {"src/a.py": b"1\n", "src/b.py": b"2\n"})
    git(folder, "add", "src/b.py")
    state = known(folder, ["src/a.py"])
    assert state.commit is None
    assert b"b.py" not in state.diff
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "apply", given=state.diff)
    assert (tmp_path / "empty/src/a.py").read_bytes() == b"1\n"


def test_returns_none_without_a_repository_and_without_git(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git_state(tmp_path, ["home"]) is None
    monkeypatch.setenv("PATH", str(repository))
    assert git_state(repository, ["src/a.py"]) is None


def test_the_diff_has_paths_from_the_top_of_the_work_tree(repository: Path, tmp_path: Path) -> None:
    write_files(repository, {"ml/src/a.py": b"1\n", "ml/src/b.py": b"2\n"})
    commit(repository)
    write_files(
        repository, {"ml/src/a.py": b"changed\n", "ml/src/n.py": b"n\n", "src/a.py": b"other\n"}
    )
    state = known(repository / "ml", ["src/a.py", "src/b.py", "src/n.py"])
    assert b"a/ml/src/a.py" in state.diff and b"other" not in state.diff
    checkout = applied(state, repository, tmp_path / "checkout")
    assert (checkout / "ml/src/a.py").read_bytes() == b"changed\n"
    assert (checkout / "ml/src/n.py").read_bytes() == b"n\n"


def test_works_in_a_linked_work_tree_and_in_a_clone_that_borrows_its_objects(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    git(tmp_path, "clone", "-q", "--shared", str(repository), "borrower")
    before = tree(repository)
    for number, name in enumerate(("tree", "borrower")):
        write_files(tmp_path / name, {"src/a.py": b"side\n"})
        state = known(tmp_path / name, ["src/a.py"])
        assert tree(repository) == before
        checkout = applied(state, repository, tmp_path / f"checkout{number}")
        assert (checkout / "src/a.py").read_bytes() == b"side\n"


def test_changes_in_a_submodule_are_against_its_own_commit(
    repository: Path, tmp_path: Path
) -> None:
    inner = with_submodule(repository, tmp_path)
    paths = ["src/a.py", "lib/sub/s.py", "lib/sub/u.py"]
    assert known(repository, paths[:2]).diff == b""

    write_files(inner, {"s.py": b"s = 2\n", "u.py": b"u\n", "t.py": b"other\n"})
    state = known(repository, paths)
    checkout = applied(GitState(state.commit), repository, tmp_path / "checkout")
    git(checkout, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")
    git(checkout, "apply", given=state.diff)
    assert (checkout / "lib/sub/s.py").read_bytes() == b"s = 2\n"
    assert (checkout / "lib/sub/u.py").read_bytes() == b"u\n"
    assert b"other" not in state.diff


def test_the_diff_has_the_commit_of_a_submodule_and_works_in_one(
    repository: Path, tmp_path: Path
) -> None:
    inner = with_submodule(repository, tmp_path)
    write_files(inner, {"s.py": b"s = 2\n"})
    before = tree(repository)
    state = known(inner, ["s.py"])
    assert tree(repository) == before
    assert state.commit == head(inner) and b"a/s.py" in state.diff
    new = commit(inner)
    assert f"+Subproject commit {new}".encode() in known(repository, ["lib/sub/s.py"]).diff
    assert known(repository, ["src/a.py"]).diff == b""


def test_a_repository_inside_may_be_no_submodule(repository: Path) -> None:
    write_files(repository, {"lib/own/x.py": b"x\n", "src/b.py": b"changed\n"})
    git(repository / "lib/own", "init", "-q")
    diff = known(repository, ["lib/own/x.py", "src/b.py"]).diff
    assert b"+changed" in diff and b"b/lib/own/x.py" in diff


def test_the_diff_has_links_and_their_targets(repository: Path, tmp_path: Path) -> None:
    (repository / "src/link.py").symlink_to("b.py")
    (repository / "folder").symlink_to("src")
    (repository / "absolute.py").symlink_to(repository / "folder" / "n.py")
    write_files(repository, {"src/b.py": b"changed\n", "src/n.py": b"new\n"})
    paths = ["folder/link.py", "absolute.py", "src/a.py"]
    state = known(repository, paths)
    checkout = applied(state, repository, tmp_path / "checkout")
    assert (checkout / "folder/link.py").read_bytes() == b"changed\n"
    assert (checkout / "src/n.py").read_bytes() == b"new\n"
    assert os.readlink(checkout / "absolute.py") == str(repository / "folder/n.py")


@pytest.mark.parametrize("target", ["self", "self/x", "../outside", "/etc/hosts"])
def test_does_not_follow_links_in_circles_or_outside(repository: Path, target: str) -> None:
    (repository / "self").symlink_to(target)
    assert b"new file mode 120000" in known(repository, ["self"]).diff


CHANGES = {
    "src/a.py": b"a = 1\n" * 14 + b"a = 2\n\n" + b"a = 1\n" * 15,
    "src/copy.py": BEGINNING["src/a.py"],
    "src/n.py": b"a\r\nb\r\n",
    "src/m.bin": b"\0" * 3000 + bytes(range(256)),
}
SETTINGS = {
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.external": "false",
    "diff.renames": "copies",
    "diff.context": "0",
    "diff.interHunkContext": "9",
    "diff.algorithm": "patience",
    "diff.relative": "true",
    "diff.suppressBlankEmpty": "true",
    "diff.submodule": "log",
    "diff.ignoreSubmodules": "all",
    "diff.colorMoved": "zebra",
    "color.ui": "always",
    "core.autocrlf": "true",
    "core.safecrlf": "true",
    "core.quotePath": "true",
    "core.abbrev": "4",
    "core.compression": "0",
    "core.pager": "false",
    "core.splitIndex": "true",
    "core.fsmonitor": "false",
}


# The others have no effect next to these.
STRONG = {
    "diff.noprefix",
    "diff.external",
    "diff.renames",
    "diff.relative",
    "diff.ignoreSubmodules",
}


@pytest.mark.parametrize("names", [SETTINGS, SETTINGS.keys() - STRONG, ["diff.renames"]], ids=len)
def test_settings_of_the_user_do_not_change_the_diff(
    repository: Path, home: Path, names: Iterable[str]
) -> None:
    write_files(repository, CHANGES)
    before = known(repository, CHANGES)
    for name in names:
        git(home, "config", "--global", name, SETTINGS[name])
    assert known(repository, CHANGES) == before
    # A repository's own settings change no more than that.
    assert known(repository / "src", [path[4:] for path in CHANGES]) == before


def test_attributes_files_and_variables_of_the_user_do_not_change_the_diff(
    repository: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(repository, {**CHANGES, ".gitattributes": b"* text=auto\n"})
    before = known(repository, CHANGES)
    for name, value in (
        ("core.attributesFile", str(home / "attributes")),
        ("core.safecrlf", "true"),
        ("diff.orderFile", str(home / "order")),
        ("diff.shout.textconv", "tr a-z A-Z <"),
        ("diff.shout.command", "false"),
    ):
        git(home, "config", "--global", name, value)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("GIT_DIFF_OPTS", "--unified=0")
    write_files(home, {"attributes": b"*.py -diff\n", "order": b"*.py\n*.bin\nsrc/a.py\n"})
    assert known(repository, CHANGES) == before
    write_files(home, {"attributes": b"* diff=shout\n"})
    write_files(repository, {".git/info/attributes": b"* diff=shout\n"})
    assert known(repository, CHANGES) == before


def test_works_within_a_hook_of_git(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(repository, {"ml/a.py": b"changed\n"})
    before = known(repository / "ml", ["a.py"])
    assert b"ml/a.py" in before.diff
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    monkeypatch.setenv("GIT_PREFIX", "ml/")
    assert git_state(repository / "ml", ["a.py"]) == before


def test_runs_no_hook_of_the_user(repository: Path) -> None:
    hook = repository / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch it-ran\n")
    hook.chmod(0o755)
    write_files(repository, {"src/a.py": b"changed\n"})
    known(repository, ["src/a.py"])
    assert not list(repository.rglob("it-ran"))


def test_a_closure_may_be_longer_than_a_command_line(repository: Path) -> None:
    names = [f"src/{'a' * 200}-{number}.py" for number in range(1500)]
    write_files(repository, {names[-1]: b"last\n"})
    assert b"+last" in known(repository, names).diff


@pytest.mark.parametrize(
    ("address", "recorded"),
    [
        ("https://host.example/a/b.git", "https://host.example/a/b.git"),
        ("https://me:secret@host.example:8443/a.git?sig=x", "https://host.example:8443/a.git"),
        ("https://token@host.example/a.git", "https://host.example/a.git"),
        # As build servers give their token to every command.
        ("short:a.git", "https://host.example/a.git"),
        ("ssh://git:secret@host.example/a.git", "ssh://git@host.example/a.git"),
        ("git@host.example:a/b.git", "git@host.example:a/b.git"),
        ("../a folder", "../a folder"),
        ("https://[broken", None),
        (None, None),
    ],
)
def test_the_remote_is_recorded_without_credentials(
    repository: Path, address: str | None, recorded: str | None
) -> None:
    git(repository, "config", "url.https://x:token@host.example/.insteadOf", "short:")
    if address:
        git(repository, "remote", "add", "origin", address)
    assert remote_address(repository) == recorded
