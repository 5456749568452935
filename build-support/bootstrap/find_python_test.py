"""Tests of which Python the launcher takes, and of what it says of those that it does not take."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from launcher import BASH, REPOSITORY, Fake, leftovers, script

DEBIAN = Path("/etc/debian_version").is_file()

SYSTEM_TOOLS = ("bash", "cat", "env", "ln", "mkdir", "mktemp", "mv", "readlink", "rm", "sleep")
# A Python that answers the launcher's question after it was changed.
CHANGED = """\
#!{python}
import sys
{change}
probe = sys.argv[2]
sys.executable = __file__
sys.argv = sys.argv[2:]
exec(probe)
"""
OLDER = "sys.version_info = (3, 9, 18)"
NEWER = "sys.version_info = (3, 12, 1)"
WITHOUT_ENSUREPIP = "sys.modules['ensurepip'] = None"


@pytest.fixture
def bare(tmp_path: Path) -> Fake:
    """Like `fake`, with an empty cache and no Python within reach."""
    fake = Fake(tmp_path)
    shutil.rmtree(fake.cache)
    for name in SYSTEM_TOOLS:
        (tmp_path / "bin" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "/bin/" + name)
    for name in ("PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME"):
        fake.env.pop(name, None)
    empty = str(tmp_path / "home")
    fake.env.update(PATH=str(tmp_path / "bin"), HOME=empty, HOMEBREW_PREFIX=empty)
    return fake


def install(fake: Fake, name: str, change: str = "") -> Path:
    """Put a changed Python on the PATH."""
    text = CHANGED.format(python=sys.executable, change=change)
    return script(fake.cache.parent / "bin" / name, text)


def find(fake: Fake) -> str:
    """Return the Python that the launcher takes, and its version."""
    scripts = REPOSITORY / "build-support/bootstrap"
    asked = 'source "$1/settings.sh"; source "$1/find_python.sh"; bootstrap_find_python; '
    return subprocess.check_output(
        [BASH, "-euc", asked + 'echo "$python $python_version"', "bash", str(scripts)],
        env=fake.env,
        encoding="utf-8",
    ).strip()


def test_takes_the_best_python_and_not_the_first(bare: Fake) -> None:
    install(bare, "python3.12", NEWER)
    best = install(bare, "python3")
    assert find(bare) == f"{best} 3.11"


def test_takes_the_next_best_where_there_is_no_better_one(bare: Fake) -> None:
    install(bare, "python3.11", WITHOUT_ENSUREPIP)
    install(bare, "python3", OLDER)
    newer = install(bare, "python3.12", NEWER)
    assert find(bare) == f"{newer} 3.12"


def test_says_of_each_python_why_it_is_not_taken(bare: Fake) -> None:
    older = install(bare, "python3", OLDER)
    # A shim of pyenv is found, but does not work.
    shim = script(older.with_name("python3.12"), "#!/bin/sh\necho 'not installed' >&2\nexit 127\n")
    result = bare.start("list", "::")
    assert result.returncode == 2
    assert result.stderr.startswith(
        "pants: no usable Python found. Pants runs on Python 3.11 or 3.12."
    )
    assert f"\n  {older} (3.9.18): Pants needs 3.11 or 3.12\n" in result.stderr
    assert f"\n  {shim}: it does not start\n" in result.stderr
    assert "uv python install 3.11" in result.stderr
    assert "PANTS_BOOTSTRAP_PYTHON=" in result.stderr
    assert "not installed" not in result.stderr
    assert leftovers(bare.cache) == []


def test_says_that_there_is_no_python(bare: Fake) -> None:
    assert "Homebrew:\n  none\n" in bare.start("list", "::").stderr


def test_names_the_package_that_a_python_of_debian_is_missing(bare: Fake) -> None:
    path = install(bare, "python3", WITHOUT_ENSUREPIP)
    result = bare.start("list", "::")
    assert result.returncode == 2
    assert f"\n  {path} (" in result.stderr
    assert "): missing ensurepip\n" in result.stderr
    assert ("apt-get install python3.11-venv" in result.stderr) is DEBIAN
    assert ("uv python install" in result.stderr) is not DEBIAN


@pytest.mark.parametrize(
    ("python", "reason"),
    [("/nowhere/python3.11", "there is no such program"), ("/bin/sh", "it does not start")],
)
def test_names_the_variable_when_the_named_python_is_unusable(
    bare: Fake, python: str, reason: str
) -> None:
    result = bare.start("list", "::", PANTS_BOOTSTRAP_PYTHON=python)
    assert result.returncode == 2
    said = f"pants: PANTS_BOOTSTRAP_PYTHON: {python} cannot be used: {reason}."
    assert result.stderr.startswith(said)
    assert leftovers(bare.cache) == []
