"""What was found in files before, by their content: it saves time, and is used for nothing else."""

from __future__ import annotations

import contextlib
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


class Remembered:
    """JSON data by texts, in a file of this name.

    `rules` is whatever the data depends on: under other rules, nothing is remembered.
    """

    def __init__(self, name: str, rules: str = "") -> None:
        folder = _folder()
        self._file = folder / name if folder else None
        self._rules = rules
        self._known: dict[str, Any] = {}
        self._is_changed = False
        if self._file is not None:
            # A damaged file is none.
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                kept = json.loads(self._file.read_bytes())
                if kept["rules"] == rules:
                    self._known = dict(kept["known"])

    def get(self, key: str) -> Any:
        """Return the data of `key`, or None. What was used last is forgotten last."""
        found = self._known.pop(key, None)
        if found is not None:
            self._known[key] = found
        return found

    def put(self, key: str, data: Any) -> None:
        self._known.pop(key, None)
        self._known[key] = data
        self._is_changed = True

    def save(self) -> None:
        if self._file is None or not self._is_changed:
            return
        known = dict(list(self._known.items())[-_MOST:])
        # It only saves time, and is not worth an error.
        with contextlib.suppress(OSError):
            make_folder(self._file.parent)
            write_file(self._file, json.dumps({"rules": self._rules, "known": known}))


def _folder() -> Path | None:
    """Return where this tool caches; None without a home, as in a sandbox of Pants."""
    cache = Path(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", ""), ".cache")
    )
    return cache / "azureml-jobs" if cache.is_absolute() else None


# Reading less takes no longer than looking it up.
_LARGE_BYTES = 1_000_000
# A file may change again within the resolution of its times.
_SETTLED_SECONDS = 2.0


class KnownDigests:
    """The sha256 of files by their paths, each with the size, times and inode that it had then."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered

    def of(self, path: Path) -> str:
        """Return the sha256, in hex, of the file. Raises `OSError` for what cannot be read."""
        found = path.stat()
        if found.st_size < _LARGE_BYTES:
            return file_digest(path)
        state = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
        name = str(path.resolve())
        before, _, digest = str(self._remembered.get(name)).rpartition(" ")
        if before == state:
            return digest
        digest = file_digest(path)
        if time.time() - max(found.st_mtime, found.st_ctime) >= _SETTLED_SECONDS:
            self._remembered.put(name, f"{state} {digest}")
        return digest


@contextlib.contextmanager
def known_digests() -> Iterator[KnownDigests]:
    remembered = Remembered("data-digests.json")
    yield KnownDigests(remembered)
    remembered.save()


class KnownTexts:
    """What looks like secrets in texts that were searched, by their digests.

    Lines and kinds are kept, never a text.
    """

    def __init__(self) -> None:
        self._remembered = Remembered("searched-texts.json", _rules())

    def in_file(self, file: BundleFile) -> list[Secret]:
        return self._search(file.sha256, is_plain_text(file.source), file.content.read_bytes)

    def in_text(self, text: bytes, is_plain: bool) -> list[Secret]:
        return self._search(hashlib.sha256(text).hexdigest(), is_plain, lambda: text)

    def _search(self, sha256: str, is_plain: bool, read: Callable[[], bytes]) -> list[Secret]:
        key = f"{sha256}{' plain' if is_plain else ''}"
        kept = self._remembered.get(key)
        if kept is not None:
            return [Secret(*each) for each in kept]
        # It takes 0.3 seconds to import.
        from azureml_jobs.bundle.secret_forms import secrets_in

        found = secrets_in(read(), is_plain)
        self._remembered.put(key, [astuple(each) for each in found])
        return found

    def save(self) -> None:
        self._remembered.save()


def _rules() -> str:
    """Return a text that changes with the forms that are searched for."""
    digest = hashlib.sha256()
    for name in ("secret_forms.py", "password_forms.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    # The folder of an installed release is named by its content.
    library = find_spec("detect_secrets")
    return f"{digest.hexdigest()} {library.origin if library else ''}"
