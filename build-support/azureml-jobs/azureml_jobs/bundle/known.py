"""What was found in files before, by their content: it saves time, and is used for nothing else."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from azureml_jobs.base.digest import file_digest
from azureml_jobs.base.files import make_folder, write_file
from azureml_jobs.bundle.files import BundleFile
from azureml_jobs.bundle.suspicions import Secret, is_plain_text

_MOST = 20_000
# Reading less takes no longer than looking it up.
_LARGE_BYTES = 1_000_000
# A file may change again within the resolution of its times.
_SETTLED_SECONDS = 2.0


@contextlib.contextmanager
def _remembered(name: str, rules: str = "") -> Iterator[dict[str, Any]]:
    """Yield JSON data by texts, kept in a file of this name; under other `rules`, there is none.

    The first of too many are forgotten: who uses one puts it at the end.
    """
    folder = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", ""), ".cache")
    file = Path(folder, "azureml-jobs", name)
    known: dict[str, Any] = {}
    # A damaged file is none.
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(file.read_bytes())
        if kept["rules"] == rules:
            known = dict(kept["known"])
    before = dict(known)
    yield known
    # There may be no home, as in a sandbox of Pants.
    if known != before and file.is_absolute():
        known = dict(list(known.items())[-_MOST:])
        # It only saves time, and is not worth an error.
        with contextlib.suppress(OSError):
            make_folder(file.parent)
            write_file(file, json.dumps({"rules": rules, "known": known}))


@contextlib.contextmanager
def known_digests() -> Iterator[Callable[[Path], str]]:
    """Yield what returns the sha256, in hex, of a file. It raises `OSError` for one without it."""
    with _remembered("data-digests.json") as known:
        yield functools.partial(_digest, known)


def _digest(known: dict[str, Any], path: Path) -> str:
    found = path.stat()
    if found.st_size < _LARGE_BYTES:
        return file_digest(path)
    state = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
    name = str(path.resolve())
    before, _, digest = str(known.pop(name, "")).rpartition(" ")
    if before != state:
        digest = file_digest(path)
    if before == state or time.time() - max(found.st_mtime, found.st_ctime) >= _SETTLED_SECONDS:
        known[name] = f"{state} {digest}"
    return digest


class KnownTexts:
    """What looks like secrets in texts: lines and kinds by the text's digest, never the text."""

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known

    def in_file(self, file: BundleFile) -> list[Secret]:
        return self._search(file.sha256, is_plain_text(file.source), file.content.read_bytes)

    def in_text(self, text: bytes, is_plain: bool) -> list[Secret]:
        return self._search(hashlib.sha256(text).hexdigest(), is_plain, lambda: text)

    def _search(self, sha256: str, is_plain: bool, read: Callable[[], bytes]) -> list[Secret]:
        key = f"{sha256}{' plain' if is_plain else ''}"
        kept = self._known.pop(key, None)
        if kept is None:
            # It takes 0.3 seconds to import.
            from azureml_jobs.bundle.secret_forms import secrets_in

            kept = [astuple(each) for each in secrets_in(read(), is_plain)]
        self._known[key] = kept
        return [Secret(*each) for each in kept]


@contextlib.contextmanager
def known_texts() -> Iterator[KnownTexts]:
    with _remembered("searched-texts.json", _rules()) as known:
        yield KnownTexts(known)


def _rules() -> str:
    """Return a text that changes with the forms that are searched for."""
    digest = hashlib.sha256()
    for name in ("secret_forms.py", "password_forms.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    # The folder of an installed release is named by its content.
    library = find_spec("detect_secrets")
    return f"{digest.hexdigest()} {library.origin if library else ''}"
