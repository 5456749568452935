"""Refuse files that contain secrets, by their names and by their content."""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from azureml_jobs.base.atomic_file import write_file
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.private_folder import make_folder
from azureml_jobs.bundle.outgoing_files import OutgoingFile

# Names of files that contain credentials by convention.
SECRET_NAMES = (
    ".env",
    ".env.*",
    "*.env",
    ".netrc",
    ".pypirc",
    "*.pem",
    "*.key",
    "*.pfx",
    "*.p12",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
)

# The comment that declares a line harmless; detect-secrets uses the same. In a file that is
# suspicious by its name alone it may be in any line.
ALLOW_COMMENT = "pragma: allowlist secret"

# Nobody types or pastes a credential into a larger file.
SCAN_BYTES = 8 * 1024 * 1024

_MOST_REMEMBERED = 20_000


def check_secrets(
    files: Iterable[OutgoingFile], where: str, environment: Mapping[str, str] = os.environ
) -> None:
    """Raise `JobError` that names every file and line that looks like a secret, never its text.

    Files whose content was found harmless before are not searched again.
    """
    files = list(files)
    harmless = _HarmlessFiles(environment)
    findings = []
    for file in files:
        found = _findings(file, harmless)
        findings += found
        if not found:
            harmless.add(file)
    harmless.save()
    if findings:
        raise JobError(
            where,
            "the snapshot would contain what looks like a secret:\n  " + "\n  ".join(findings),
            "Move it out of the code: to a key vault, a workspace secret, or a managed identity "
            "that needs none.\n"
            "If a line, or a file that is listed for its name, is harmless, add the comment "
            f"`# {ALLOW_COMMENT}` to it.",
        )


def _findings(file: OutgoingFile, harmless: _HarmlessFiles) -> list[str]:
    name = file.path.rsplit("/", 1)[-1]
    has_secret_name = any(fnmatch.fnmatchcase(name, pattern) for pattern in SECRET_NAMES)
    content = b""
    if file.size <= SCAN_BYTES and (has_secret_name or file not in harmless):
        content = file.content.read_bytes()
    if has_secret_name and ALLOW_COMMENT.encode() not in content:
        return [f"{file.path}: a file of this name contains credentials"]
    if not content or file in harmless:
        return []
    # It takes 0.3 seconds to import.
    from azureml_jobs.bundle.secret_forms import secrets_in

    found = [
        (number, f"{file.path}:{number}: {kind}")
        for number, kind, line in secrets_in(content)
        if ALLOW_COMMENT not in line
    ]
    return [text for _, text in sorted(set(found))]


class _HarmlessFiles:
    """The digests of files that contain no secret, kept in the user's cache folder."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        home = environment.get("HOME", "")
        cache = Path(environment.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"))
        # Without a home, as in a sandbox of Pants, nothing is kept.
        self._file = cache / "azureml-jobs" / "harmless-files.json" if cache.is_absolute() else None
        self._rules = _rules()
        self._known: dict[str, None] = {}
        self._is_changed = False
        if self._file is not None:
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                kept = json.loads(self._file.read_bytes())
                if kept["rules"] == self._rules:
                    self._known = dict.fromkeys(kept["sha256"])

    def __contains__(self, file: OutgoingFile) -> bool:
        return file.sha256 in self._known

    def add(self, file: OutgoingFile) -> None:
        self._is_changed = self._is_changed or file not in self
        # The files that were used last are forgotten last.
        self._known.pop(file.sha256, None)
        self._known[file.sha256] = None

    def save(self) -> None:
        if self._file is None or not self._is_changed:
            return
        kept = {"rules": self._rules, "sha256": [*self._known][-_MOST_REMEMBERED:]}
        # It only saves time, and is not worth an error.
        with contextlib.suppress(OSError):
            make_folder(self._file.parent)
            write_file(self._file, json.dumps(kept))


def _rules() -> str:
    """Return a text that changes with the forms that are searched for."""
    forms = Path(__file__).with_name("secret_forms.py").read_bytes()
    # The folder of an installed release is named by its content.
    library = find_spec("detect_secrets")
    return f"{hashlib.sha256(forms).hexdigest()} {library.origin if library else ''}"
