"""Fixtures for the shared copy of the repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scratch import Scratch


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """Return one copy for all tests; a test undoes its own changes to it.

    Its path has a space and a letter that is not ASCII, as many people's paths have.
    """
    folder: Path = tmp_path_factory.mktemp("work") / "a répo"
    copy = Scratch(folder)
    # The daemon keeps from its first command whether there is a terminal to print to.
    copy.pants("--version")
    yield copy
    copy.stop_daemon()


@pytest.fixture
def restored(scratch: Scratch) -> Iterator[Scratch]:
    """Return the shared copy, and undo all changes to it after the test."""
    yield scratch
    scratch.restore()
