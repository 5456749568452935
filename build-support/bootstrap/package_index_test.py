"""Tests of what is read from pip's answers."""

from __future__ import annotations

import pytest
from package_index import describe, file_prefix, pip_settings

HASHED = "packages/ab/cd/" + "e" * 60 + "/six-1.17.0-py2.py3-none-any.whl"


def report(*urls: str) -> dict[str, object]:
    return {"install": [{"download_info": {"url": url}} for url in urls]}


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        pytest.param(f"https://files.example/{HASHED}", "/files.example", id="an index's own host"),
        pytest.param(
            f"https://mirror.example:8443/api/pypi/all/packages/{HASHED}",
            "/mirror.example:8443/api/pypi/all/packages",
            id="a mirror's folder",
        ),
        pytest.param(f"https://me:pw@files.example/{HASHED}", "/files.example", id="a password"),
        pytest.param("https://x.example/feed/six.whl", "/x.example", id="another shape of paths"),
        pytest.param("file:///wheels/six.whl", "", id="a local file"),
    ],
)
def test_finds_the_prefix_of(url: str, prefix: str) -> None:
    assert file_prefix(report(url)) == prefix


def test_takes_the_prefix_of_most_files() -> None:
    files = report(
        f"https://extra.example/{HASHED}",
        f"https://files.example/{HASHED}",
        f"https://files.example/{HASHED}",
        "file:///wheels/six.whl",
        "file:///wheels/seven.whl",
        "file:///wheels/eight.whl",
    )
    assert file_prefix(files) == "/files.example"


def test_the_environment_wins_over_the_commands_section_and_that_over_the_global_one() -> None:
    listing = "\n".join(
        (
            ":env:.index-url='https://env.example/simple'",
            "global.index-url='https://global.example/simple'",
            "global.timeout='1'",
            "install.index-url='https://install.example/simple'",
            "install.timeout='2'",
            "download.timeout='3'",
            'global.cert="/it\'s/ca.pem"',
        )
    )
    assert pip_settings(listing) == {
        "index-url": "https://env.example/simple",
        "timeout": "2",
        "cert": "/it's/ca.pem",
    }


def test_describes_the_index_and_the_certificates() -> None:
    settings = {"index-url": "https://mirror.example/simple", "cert": "/ca.pem"}
    assert describe(report(), settings) == [
        "files=",
        "url=https://mirror.example/simple",
        "cert=/ca.pem",
    ]


@pytest.mark.parametrize("user", ["me:secret@", "secret@"])
def test_never_stores_a_password(user: str) -> None:
    settings = {"index-url": f"https://{user}mirror.example/simple"}
    lines = describe(report(f"https://{user}mirror.example/{HASHED}"), settings)
    assert lines == ["files=/mirror.example", "cert="]
