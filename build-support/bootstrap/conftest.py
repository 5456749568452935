"""Fixtures of the launcher's tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from launcher import Fake

SYSTEM_TOOLS = ("bash", "cat", "env", "ln", "mkdir", "mktemp", "mv", "readlink", "rm", "sleep")


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


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


@pytest.fixture(scope="module", autouse=True)
def no_link_stays_behind() -> Iterator[None]:
    """Removes the link by which Pants reaches a pex tool whose path has unusual characters."""
    yield
    for path in Path("/tmp").glob(f"pants-from-index-{os.getuid()}-pex-*"):
        if not path.exists() or path.resolve().parents[2].name.startswith("cäche"):
            path.unlink()
