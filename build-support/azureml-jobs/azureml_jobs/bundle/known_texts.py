"""Search texts for secrets, and remember by content what was found, in the user's cache folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import astuple
from importlib.util import find_spec
from pathlib import Path

from azureml_jobs.base.remembered import Remembered
from azureml_jobs.bundle.bundle_file import BundleFile
from azureml_jobs.bundle.found_secret import Secret, is_plain_text


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
