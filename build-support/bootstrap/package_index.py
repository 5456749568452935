"""Prints what pip knows of its package index, as `name=value` lines."""

from __future__ import annotations

import ast
import collections
import json
import re
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

# The shape in which the public index and its mirrors serve files: a prefix, then folders that are
# named after the file's hash.
_HASHED = re.compile(r"^(?P<prefix>/.*?)/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/[^/]+$")
_SETTING = re.compile(r"^(?P<level>global|install|:env:)\.(?P<name>[^=]+)=(?P<value>.*)$")


def file_prefix(report: dict[str, Any]) -> str:
    """Return the text `/host/prefix` that most file URLs in pip's installation report begin with.

    Empty when nothing came over HTTP. It is the part that a lock file must not hold: see
    build-support/maintaining/decisions/locks-name-no-host.md. An index that serves files in another
    shape has nothing in common with the URLs of other indexes, so only its host is taken.
    """
    seen: collections.Counter[str] = collections.Counter()
    for item in report["install"]:
        url = urlsplit(item["download_info"]["url"])
        if url.scheme in ("http", "https"):
            path = "/" + url.netloc.rpartition("@")[2] + url.path
            match = _HASHED.match(path)
            seen[match.group("prefix") if match else "/" + path.split("/")[1]] += 1
    return seen.most_common(1)[0][0] if seen else ""


def pip_settings(listing: str) -> dict[str, str]:
    """Return the settings that `pip install` uses, from what `pip config list` prints."""
    levels: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        match = _SETTING.match(line)
        if match:
            value = ast.literal_eval(match.group("value"))
            levels[match.group("level")][match.group("name")] = value
    return {**levels["global"], **levels["install"], **levels[":env:"]}


def has_password(url: str) -> bool:
    """Return whether the URL names a user: even one without a password is often a token."""
    return "@" in urlsplit(url).netloc


def describe(report: dict[str, Any], settings: dict[str, str]) -> list[str]:
    """Return the lines of the file `index`, without the index's URL if that holds a password."""
    index = settings.get("index-url", "")
    lines = ["files=" + file_prefix(report)]
    if not has_password(index):
        lines.append("url=" + index)
    lines.append("cert=" + settings.get("cert", ""))
    return lines


def main(report_file: str) -> None:
    with open(report_file, encoding="utf-8") as stream:
        report = json.load(stream)
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        check=True,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    settings = pip_settings(listing.stdout)
    print("\n".join(describe(report, settings)))
    if has_password(settings.get("index-url", "")):
        print(
            "pants: the URL of pip's package index holds a password, which is not stored here; "
            "name an index for Pants yourself, in PANTS_PYTHON_REPOS_INDEXES",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main(sys.argv[1])
