"""The shared copy of the repository."""

from __future__ import annotations

from pathlib import Path
from collections.abc import Iterator

import pytest
from scratch import Scratch


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """One copy for all tests: a test that writes into it takes back what it wrote.

    Its path has a space and letters that are not ASCII, as those of many people's have.
    """
    folder: Path = tmp_path_factory.mktemp("work") / "a répo"
    copy = Scratch(folder)
    yield copy
    copy.stop_daemon()
