"""Search texts for secrets, and remember by content what was found, in the user's cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from azureml_jobs.base.atomic_file import write_file
from azureml_jobs.base.cache_folder import cache_folder
from azureml_jobs.base.private_folder import make_folder
from azureml_jobs.bundle.bundle_file import BundleFile
from azureml_jobs.bundle.found_secret import Secret, is_plain_text

_MOST_REMEMBERED = 20_000


class KnownTexts:
    """What looks like secrets in texts that were searched, by their digests.

    Lines and kinds are kept, never a text.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        cache = cache_folder(environment)
        self._file = cache / "searched-texts.json" if cache else None
        self._rules = _rules()
        self._known: dict[str, list[Secret]] = {}
        self._is_changed = False
        if self._file is not None:
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
                kept = json.loads(self._file.read_bytes())
                if kept["rules"] == self._rules:
                    found = kept["found"].items()
                    self._known = {key: [Secret(*each) for each in each] for key, each in found}

    def in_file(self, file: BundleFile) -> list[Secret]:
        return self._search(file.sha256, is_plain_text(file.source), file.content.read_bytes)

    def in_text(self, text: bytes, is_plain: bool) -> list[Secret]:
        return self._search(hashlib.sha256(text).hexdigest(), is_plain, lambda: text)

    def _search(self, sha256: str, is_plain: bool, read: Callable[[], bytes]) -> list[Secret]:
        key = f"{sha256}{' plain' if is_plain else ''}"
        found = self._known.pop(key, None)
        if found is None:
            # It takes 0.3 seconds to import.
            from azureml_jobs.bundle.secret_forms import secrets_in

            found = secrets_in(read(), is_plain)
            self._is_changed = True
        # What was used last is forgotten last.
        self._known[key] = found
        return found

    def save(self) -> None:
        if self._file is None or not self._is_changed:
            return
        last = list(self._known.items())[-_MOST_REMEMBERED:]
        found = {
            key: [[each.line, each.kind, each.is_marked] for each in each] for key, each in last
        }
        # It only saves time, and is not worth an error.
        with contextlib.suppress(OSError):
            make_folder(self._file.parent)
            write_file(self._file, json.dumps({"rules": self._rules, "found": found}))


def _rules() -> str:
    """Return a text that changes with the forms that are searched for."""
    digest = hashlib.sha256()
    for name in ("secret_forms.py", "password_forms.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    # The folder of an installed release is named by its content.
    library = find_spec("detect_secrets")
    return f"{digest.hexdigest()} {library.origin if library else ''}"
