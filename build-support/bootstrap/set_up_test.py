"""Tests of the setup, which install Pants from the package index that pip is configured with."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from launcher import (
    BASH,
    REPOSITORY,
    Fake,
    ask_settings,
    copy_launcher,
    environment,
    leftovers,
    remove_links,
    start,
    wait_for,
)


@pytest.fixture(scope="module", autouse=True)
def no_link_stays_behind() -> Iterator[None]:
    yield
    remove_links()


def edit_settings(repository: Path, name: str, value: str) -> None:
    """Give a variable of settings.sh in a copied launcher another value."""
    settings = repository / "build-support/bootstrap/settings.sh"
    text, replaced = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", settings.read_text())
    assert replaced == 1
    settings.write_text(text)


def test_the_digest_in_the_settings_is_that_of_the_requirements() -> None:
    folder = REPOSITORY / "build-support/bootstrap"
    digest = hashlib.sha256()
    for name in ("installer.txt", "pants.txt", "engine.txt", "pex.txt"):
        digest.update((folder / name).read_bytes())
    settings = (folder / "settings.sh").read_text(encoding="utf-8")
    assert f"\nBOOTSTRAP_DIGEST={digest.hexdigest()[:16]}\n" in settings


def test_names_the_variable_when_the_cache_cannot_be_written(tmp_path: Path) -> None:
    fake = Fake(tmp_path)
    shutil.rmtree(fake.cache)
    fake.cache.write_text("a file where the folder should be")
    result = fake.start("list", "::")
    assert result.returncode == 2
    assert "cannot write to this cache folder" in result.stderr
    assert "PANTS_BOOTSTRAP_CACHE_DIR=" in result.stderr
    assert len(result.stderr.splitlines()) == 3


def break_cache(fake: Fake) -> list[Path]:
    """Remove the Python of a setup, add a half-made one and a lock whose owner has ended."""
    (fake.made / "venv/bin/python").unlink()
    half = fake.made.with_name("py311.half")
    (half / "venv/bin").mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    host = subprocess.check_output([BASH, "-c", "printf %s $HOSTNAME"], encoding="utf-8")
    (fake.made.parent / "lock").symlink_to(f"{ended.pid}@{host}")
    return [fake.made, half]


def test_two_starts_at_once_repair_a_cache_and_make_one_whole_setup(tmp_path: Path) -> None:
    fake = Fake(tmp_path)
    # On the next Python, where this machine has it: what is made on the best one runs the tests.
    edit_settings(fake.repository, "BOOTSTRAP_PYTHONS", '"3.12 3.11"')
    broken = break_cache(fake)
    starts = [
        subprocess.Popen(
            [BASH, "build-support/bootstrap/set_up.sh"],
            cwd=fake.repository,
            # No folder of this machine may be in the pex tool, whose bytes are pinned.
            env=environment(fake.cache, XDG_CACHE_HOME=str(tmp_path / "other")),
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for _ in range(2)
    ]
    messages = "".join([start.communicate(timeout=300)[1] for start in starts])
    assert [start.returncode for start in starts] == [0, 0], messages
    assert messages.count("setting Pants 2.17.1 up") == 1
    assert messages.count("waiting for another start") == 1
    for number, total in re.findall(r"fetching package (\d+) of (\d+)", messages):
        assert int(number) <= int(total)
    assert not any(path.exists() for path in broken)
    assert len(list(fake.cache.glob("*/py3*/finished"))) == 1
    assert leftovers(fake.cache) == []


def test_ctrl_c_during_the_setup_leaves_nothing(tmp_path: Path) -> None:
    repository = copy_launcher(tmp_path / "repository")
    env = environment(tmp_path / "cache")
    folder = Path(ask_settings(repository, "$BOOTSTRAP_FOLDER", env))
    process = subprocess.Popen(
        [str(repository / "pants"), "--version"], cwd=repository, env=env, start_new_session=True
    )
    wait_for(folder / "lock")
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert list(folder.iterdir()) == []


def test_an_index_that_does_not_answer_is_an_outside_failure_with_pips_reason(
    tmp_path: Path,
) -> None:
    repository = copy_launcher(tmp_path / "repository")
    env = environment(
        tmp_path / "cache",
        PIP_CONFIG_FILE=os.devnull,
        PIP_INDEX_URL="http://me:secret@127.0.0.1:9/simple",
        PIP_RETRIES="0",
        PIP_NO_CACHE_DIR="1",
    )
    env.pop("PIP_FIND_LINKS", None)
    result = start(repository, "--version", env=env)
    assert result.returncode == 1
    assert "  ERROR: " in result.stderr
    assert "pants: could not install the pinned pip: the lines above say why." in result.stderr
    assert "secret" not in result.stderr
    assert leftovers(tmp_path / "cache") == []


PIP_SAYS = """\
Collecting small==1 (from -r pants.txt (line 3))
  Downloading small-1-py3-none-any.whl (11 kB)
Collecting known==2 (from -r pants.txt (line 6))
  Using cached known-2-py3-none-any.whl (3.0 MB)
Processing /wheels/local-3-py3-none-any.whl
Collecting large==4 (from -r pants.txt (line 9))
  Downloading large-4-cp39-cp39-manylinux2014_x86_64.whl (47.9 MB)
"""


def in_installer(
    folder: Path, script: str, said: str = "", stderr: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run a function of the installer, which works in `folder`."""
    (folder / "fetched").write_text("1 6\n")
    sources = [
        REPOSITORY / f"build-support/bootstrap/{name}.sh" for name in ("settings", "install")
    ]
    return subprocess.run(
        [BASH, "-c", f'set -euo pipefail; source "$1"; source "$2"; {script}', "bash", *sources],
        env={**os.environ, "new": str(folder), "log": f"{folder}/log", "venv": sys.prefix},
        input=said,
        stderr=stderr,
        encoding="utf-8",
    )


def test_refuses_a_pex_tool_that_is_not_the_pinned_one(tmp_path: Path) -> None:
    (tmp_path / "pex").write_text("another tool")
    check = 'ticker=""; bootstrap_step "accept the pex tool" bootstrap_check_pex'
    result = in_installer(tmp_path, check)
    assert result.returncode == 1
    assert "is pinned" in result.stderr
    assert "pants: could not accept the pex tool" in result.stderr


def test_says_what_is_fetched_and_how_much(tmp_path: Path) -> None:
    with (tmp_path / "said").open("wb") as said:
        in_installer(tmp_path, "bootstrap_follow", PIP_SAYS, said.fileno())
    lines = (tmp_path / "said").read_text().splitlines()
    assert lines == ["pants: fetching package 5 of 6: large (47.9 MB)"]
    assert (tmp_path / "log").read_text() == PIP_SAYS
    assert (tmp_path / "fetched").read_text() == "5 6\n"


def on_a_terminal(folder: Path, script: str, said: str = "") -> list[str]:
    """Return what the line of progress has shown."""
    terminal, shell = pty.openpty()
    in_installer(folder, script, said, shell)
    os.close(shell)
    shown = b""
    with contextlib.suppress(OSError):  # Linux ends a terminal that nobody writes to with EIO.
        while data := os.read(terminal, 10_000):  # One read gets one write, or several.
            shown += data
    os.close(terminal)
    return shown.decode().split("\r\033[K")


def test_no_step_is_silent_on_a_terminal(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, 'ticker=""; bootstrap_step "make it" sleep 3')
    assert "pants: make it, 1 s" in shown
    assert shown[-1] == ""


def test_a_terminal_has_one_line_that_changes(tmp_path: Path) -> None:
    assert on_a_terminal(tmp_path, "bootstrap_follow", PIP_SAYS) == [
        "",
        "pants: fetching package 2 of 6: small (11 kB)",
        "pants: fetching package 5 of 6: large (47.9 MB)",
        "",
    ]
