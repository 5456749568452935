"""What Pants fails on without saying where is named, and left out where that is possible."""

from __future__ import annotations

import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest
from azureml_pants.experiment import unreadable
from pants.engine.internals.scheduler import ExecutionError
from pants.engine.target import AllTargets
from pants.testutil.rule_runner import RuleRunner


@pytest.mark.parametrize(
    "text, expected",
    [
        ("files(\n", r"src/x/BUILD:1: '\(' was never closed"),
        ("\nfles()\n", r"src/x/BUILD:2: name 'fles' is not defined. Did you mean files\?"),
        ("files(\n  1)\n", r"src/x/BUILD:1: .*positional argument"),
        ("def f():\n  print(a)\n  a = 1\nf()\n", "src/x/BUILD:2: .*local variable 'a'"),
        ("import os\n", "Import used in src/x/BUILD at line 1"),
    ],
    ids=["not Python", "an unknown name", "a wrong call", "a name without a value", "an import"],
)
def test_names_file_and_line_of_an_error_in_a_build_file(
    rule_runner: RuleRunner, text: str, expected: str
) -> None:
    rule_runner.write_files({"src/x/BUILD": text})

    def run(runner: None, goals: None) -> int:
        rule_runner.request(AllTargets, [])
        return 0

    with pytest.raises(ExecutionError, match=expected):
        unreadable._run(Mock(), (), _pants=run)


ABSOLUTE = 'Failed to read link "x": Absolute symlink: "/etc/passwd"'
OUTSIDE = 'While expanding link "x": Globs may not traverse outside of the buildroot: "../o"'


@pytest.mark.parametrize(
    "target, error, what, remedy",
    [
        ("/etc/passwd", ABSOLUTE, "an absolute symbolic link", "Make it relative"),
        ("../outside", OUTSIDE, "a symbolic link that leads out of the rep", "Replace it with"),
        # Pants ends without a word when it meets such a link later than at its start.
        ("x [1]", ABSOLUTE, "a symbolic link that leads in a circle", "Replace it with"),
    ],
    ids=["absolute", "out of the repository", "in a circle"],
)
def test_names_links_and_leaves_them_out_from_then_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    target: str,
    error: str,
    what: str,
    remedy: str,
) -> None:
    monkeypatch.setattr(unreadable, "get_buildroot", lambda: str(tmp_path))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("/ignored\n")
    for name in ("ignored", "known"):
        (tmp_path / name).symlink_to("/etc/passwd")
    (tmp_path / "near").symlink_to(".gitignore")
    (tmp_path / "nowhere").symlink_to("gone")
    monkeypatch.setattr(unreadable, "_compute_pants_ignore", lambda *asked: ["/known"])
    core = Mock(_scheduler="a scheduler")

    def fail(runner: None, goals: None) -> int:
        raise ExecutionError(error)

    def has_scheduler() -> bool:
        return unreadable._prepare(core, _pants=lambda core: core._scheduler is not None)

    assert unreadable._ignore(str(tmp_path), None) == ["/known"]
    assert has_scheduler()
    (tmp_path / "x [1]").symlink_to(target)
    with pytest.raises(ExecutionError, match=rf"^x \[1\]: {what}.*, which Pants can"):
        unreadable._run(Mock(), (), _pants=fail)
    assert not has_scheduler()
    # Pants makes another one, and asks what to ignore.
    assert unreadable._ignore(str(tmp_path), None) == ["/known", r"/x\ \[1\]"]
    core._scheduler = "another one"
    assert has_scheduler()
    assert unreadable._run(Mock(), (), _pants=lambda runner, goals: 0) == 0
    said = capfd.readouterr().err
    assert said.startswith(f"pants: x [1]: {what}") and f"which Pants leaves out. {remedy}" in said
    (tmp_path / "x [1]").unlink()
    assert not has_scheduler()
    assert unreadable._ignore(str(tmp_path), None) == ["/known"]
