from __future__ import annotations

import pytest
from azureml_jobs.base.digest import content_digest, environment_tag

FILES = [("a", b"1", False), ("b/c", b"2", True)]


def test_the_order_does_not_matter() -> None:
    assert content_digest(FILES) == content_digest(reversed(FILES))


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([("a", b"1", False), ("b/c", b"3", True)], id="a byte"),
        pytest.param([("a", b"1", False), ("b/d", b"2", True)], id="a name"),
        pytest.param([("a", b"1", False), ("b/c", b"2", False)], id="a run bit"),
        pytest.param([("a", b"1", False)], id="a missing file"),
        pytest.param([("a", b"2", False), ("b/c", b"1", True)], id="contents exchanged"),
    ],
)
def test_any_difference_changes_the_digest(files: list[tuple[str, bytes, bool]]) -> None:
    assert content_digest(files) != content_digest(FILES)


def test_the_tag_is_valid_for_docker() -> None:
    assert environment_tag(content_digest(FILES)) == f"env-{content_digest(FILES)[:12]}"
