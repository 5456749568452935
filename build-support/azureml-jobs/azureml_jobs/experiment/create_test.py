"""A new experiment is written as a whole, or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.base.errors import JobError, OutsideError
from azureml_jobs.experiment import create
from azureml_jobs.experiment.create import ExperimentRequest, create_experiment, ignoring_pattern

TEMPLATE = {
    "BUILD.template": "experiment()\n",
    "main.py.template": "import {{module}}\n",
    "tests/test_main.py.template": "",
}
FILES = ["BUILD", "main.py", "tests/test_main.py"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a template, in a folder such as many people have."""
    root = tmp_path / "a répo"
    for path, text in TEMPLATE.items():
        file = root / "template" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (root / "template/run.sh.template").touch(mode=0o755)
    (root / "src").mkdir()
    return root


def new(root: Path, name: str, owners: tuple[str, ...] = ()) -> str:
    return create_experiment(root, ExperimentRequest(name, "src", "template", {}, owners))


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_writes_the_template_and_prints_the_next_commands(root: Path) -> None:
    # It is the first experiment.
    (root / "src").rmdir()
    report = new(root, "x")
    assert below(root / "src") == [
        *("x", "x/BUILD", "x/main.py", "x/run.sh", "x/tests", "x/tests/test_main.py"),
    ]
    assert (root / "src/x/main.py").read_text(encoding="utf-8") == "import x\n"
    assert report.startswith("Wrote src/x,")
    for line in (
        *("  src/x/BUILD", "  src/x/tests/test_main.py", "  ./pants run src/x:local"),
        *("  ./pants run src/x:job", "  ./pants test src/x::"),
    ):
        assert line in report.splitlines()


def test_markers_become_the_name_and_all_other_text_stays(root: Path) -> None:
    template = root / "template/a.template"
    template.write_bytes(b"{{module}} {{folder}} {{label}} {{code}}")
    other = b"${{inputs.steps}} {{ module }} {{other}}\r\n\x00\xff{{"
    template.with_name("b.template").write_bytes(other)
    template.with_name("README.md").touch()
    new(root, "x")
    new(root, "t/u/x")
    assert (root / "src/x/a").read_bytes() == b"x src/x x .."
    assert (root / "src/t/u/x/a").read_bytes() == b"t.u.x src/t/u/x t-u-x ../../.."
    assert (root / "src/x/b").read_bytes() == other
    assert not (root / "src/x/README.md").exists()


def test_a_missing_template_is_reported(root: Path) -> None:
    shutil.rmtree(root / "template")
    with pytest.raises(JobError, match="^template: there is no template"):
        new(root, "x")


def test_a_variant_has_other_files_and_packages(root: Path) -> None:
    (root / "template/variants/other/tests").mkdir(parents=True)
    (root / "template/variants/other/main.py.template").write_text("other {{module}}\n")
    (root / "template/variants/other/tests/more.py.template").touch()
    (root / "template/variants/other/requirements.txt").write_text("a>=1,<2\nb-c>=3\n")
    request = ExperimentRequest("x", "src", "template", {}, origin="other", lock="l/e")
    report = create_experiment(root, replace(request, locked={"b-c"}))
    assert [path for path in below(root / "src") if not path.endswith(".sh")] == [
        *("x", "x/BUILD", "x/main.py", "x/tests", "x/tests/more.py", "x/tests/test_main.py"),
    ]
    assert "Next:\n  echo 'a>=1,<2' >>l/e-requirements.txt\n  ./pants sync-lockfiles\n" in report
    assert (root / "src/x/main.py").read_text(encoding="utf-8") == "other x\n"
    assert "echo" not in new(root, "y")
    assert (root / "src/y/main.py").read_text(encoding="utf-8") == "import y\n"
    assert not (root / "src/y/variants").exists()


def test_missing_folders_above_become_packages_that_a_target_owns(root: Path) -> None:
    report = new(root, "a/b/x")
    assert (root / "src/a/b/x/main.py").read_text(encoding="utf-8") == "import a.b.x\n"
    for folder in ("a", "a/b"):
        assert (root / "src" / folder / "__init__.py").read_bytes() == b""
        assert "python_sources()" in (root / "src" / folder / "BUILD").read_text(encoding="utf-8")
        assert f"  src/{folder}/BUILD" in report.splitlines()
    assert not (root / "src/__init__.py").exists()


def test_existing_folders_stay_as_they_are(root: Path) -> None:
    new(root, "team/x")
    (root / "src/team/BUILD").write_text("# mine\n", encoding="utf-8")
    (root / "src/team/__init__.py").unlink()
    assert "src/team/BUILD" not in new(root, "team/y")
    assert (root / "src/team/BUILD").read_text(encoding="utf-8") == "# mine\n"
    assert not (root / "src/team/__init__.py").exists()
    assert (root / "src/team/y/main.py").exists()


@pytest.mark.parametrize("mask", [0o022, 0o077], ids=lambda mask: f"{mask:03o}")
def test_the_umask_applies_and_programs_stay_executable(root: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        new(root, "team/x")
    finally:
        os.umask(before)
    for path, mode in (("", 0o777), ("/x", 0o777), ("/x/main.py", 0o666), ("/x/run.sh", 0o777)):
        assert (root / f"src/team{path}").stat().st_mode & 0o777 == mode & ~mask


@pytest.mark.parametrize(
    "made, name, what, instead",
    [
        pytest.param("x/", "x", "src/x exists", "x_2", id="the folder"),
        pytest.param("x", "x", "src/x exists", "x_2", id="a file"),
        pytest.param("x.py", "x", "src/x.py is a module", "x_2", id="a module"),
        pytest.param("team", "team/x", "src/team is not a folder", "team_x", id="a file above"),
        pytest.param("team.py", "team/x", "src/team.py is a module", "team_x", id="module above"),
        pytest.param("t/x/", "t/x", "src/t/x exists", "t/x_2", id="the nested folder"),
    ],
)
def test_nothing_that_exists_is_touched(
    root: Path, made: str, name: str, what: str, instead: str
) -> None:
    path = root / "src" / made
    if made.endswith("/"):
        path.mkdir(parents=True)
    else:
        path.write_text("mine", encoding="utf-8")
    before = below(root)
    with pytest.raises(JobError, match=what) as caught:
        new(root, name)
    assert caught.value.status == 2
    assert f"`--name={instead}`" in caught.value.remedy
    assert below(root) == before


def test_suggests_a_free_name(root: Path) -> None:
    # A broken link is in the way, too.
    (root / "src/x").symlink_to("nowhere")
    for name in ("x_2", "x_3"):
        new(root, name)
    with pytest.raises(JobError, match="--name=x_4"):
        new(root, "x")


def test_rejects_a_folder_inside_other_code(root: Path) -> None:
    with pytest.raises(JobError, match="belong to src/common:common already") as caught:
        new(root, "common/x", owners=("src/common:common",))
    assert "`--name=common_x`" in caught.value.remedy
    assert below(root / "src") == []


def test_rejects_a_folder_that_git_ignores(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    (root / ".gitignore").write_text("runs/\n", encoding="utf-8")
    with pytest.raises(JobError, match=r"`.gitignore:1:runs/`"):
        new(root, "runs")
    with pytest.raises(JobError, match="ignore"):
        new(root, "runs/x")
    assert below(root / "src") == []
    assert ignoring_pattern(root, "src/x/main.py") == ""
    monkeypatch.setenv("PATH", "")
    new(root, "runs")


@pytest.mark.parametrize("failure", [OSError(28, "No space left"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("failing", ["open", "rename"])
def test_a_failure_leaves_nothing_behind(
    root: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, failing: str
) -> None:
    name, real = "team/x", getattr(os, failing)

    def fail(path: Path, *arguments: Any, **more: Any) -> Any:
        if failing == "rename" or str(path).endswith("run.sh"):
            raise failure
        return real(path, *arguments, **more)

    monkeypatch.setattr(create.os, failing, fail)
    with pytest.raises((OutsideError, KeyboardInterrupt)) as caught:
        new(root, name)
    monkeypatch.undo()
    assert below(root / "src") == []
    if isinstance(caught.value, OutsideError):
        assert str(caught.value) == f"src/{name}: it could not be written: No space left."
        assert caught.value.status == 1


KILLED = """
import os, signal, sys
from pathlib import Path
from azureml_jobs.experiment import create

def rename(source, target):
    os.kill(os.getpid(), signal.SIGKILL)

create.os.rename = rename
request = create.ExperimentRequest("team/x", "src", "template", {})
create.create_experiment(Path(sys.argv[1]), request)
"""


def test_the_next_run_removes_the_hidden_folder_of_a_killed_one(root: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(root)], env=environment)
    assert killed.returncode == -9
    (left,) = (root / "src").glob(".*")
    # That of a running process, such as this one, stays.
    other = left.with_name(f".new-experiment-{os.getpid()}-0")
    other.mkdir()
    assert left.name.startswith(".new-experiment-")
    new(root, "team/x")
    assert not left.exists() and other.exists()
    assert (root / "src/team/x/main.py").exists()


@pytest.mark.parametrize(
    "names", [["x"] * 6, ["team/x"] * 6, [f"team/x{i}" for i in range(6)]], ids=str
)
def test_concurrent_runs_create_each_name_once(root: Path, names: list[str]) -> None:
    barrier = threading.Barrier(len(names))
    reports: list[str] = []

    def run(name: str) -> None:
        barrier.wait()
        try:
            reports.append(new(root, name))
        except JobError as error:
            reports.append(error.what)

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(line.startswith("Wrote") for line in reports) == len(set(names))
    assert sum("exists already" in line for line in reports) == len(names) - len(set(names))
    for name in names:
        assert [path for path in FILES if not (root / "src" / name / path).exists()] == []
    assert list((root / "src").rglob(".*")) == []
