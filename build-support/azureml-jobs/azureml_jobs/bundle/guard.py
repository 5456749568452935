"""What must not leave the machine: secrets, links that lead outside; and a warning on size."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.base.errors import JobError

# Names that hold credentials by convention.
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

# Forms of credentials that no ordinary text has.
SECRET_FORMS = (
    ("a private key", re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    ("an Azure storage key", re.compile(rb"AccountKey=[A-Za-z0-9+/]{80,}={0,2}")),
    ("a shared access signature", re.compile(rb"[?&]sig=[A-Za-z0-9%+/]{40,}")),
    ("an Azure client secret", re.compile(rb"(?<![\w~.-])[\w~.-]{3}8Q~[\w~.-]{34}(?![\w~.-])")),
    ("a GitHub token", re.compile(rb"(?<!\w)(?:ghp|gho|ghs|ghu|ghr)_[A-Za-z0-9]{36}(?!\w)")),
    ("a GitHub token", re.compile(rb"(?<!\w)github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?!\w)")),
    ("an AWS access key", re.compile(rb"(?<![A-Z0-9])AKIA[A-Z0-9]{16}(?![A-Z0-9])")),
    ("a Hugging Face token", re.compile(rb"(?<!\w)hf_[A-Za-z0-9]{34}(?!\w)")),
)

# The comment by which a line says that what it holds is no secret; detect-secrets uses the same.
# In a file that is suspicious by its name alone it may stand in any line.
ALLOW_COMMENT = b"pragma: allowlist secret"

# A credential in a file larger than this would not have been typed or pasted by a person.
SCAN_BYTES = 8 * 1024 * 1024

SIZE_WARNING_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True)
class Candidate:
    """A file that is about to be sent: its name in the repository and where its bytes are."""

    path: str
    content: Path
    size: int


def check_secrets(files: Iterable[Candidate], where: str) -> None:
    """Raise `JobError` that names every file and line that looks like a secret, never its text."""
    findings = [finding for file in files for finding in _findings(file)]
    if findings:
        raise JobError(
            where,
            "the snapshot would hold what looks like a secret:\n  " + "\n  ".join(findings),
            "Move it out of the code: read it from an environment variable or a key vault.\n"
            "If a line, or a file that stands here for its name, holds no secret, say so in it "
            f"by a comment: `# {ALLOW_COMMENT.decode()}`.",
        )


def _findings(file: Candidate) -> list[str]:
    name = file.path.rsplit("/", 1)[-1]
    is_named_so = any(fnmatch.fnmatchcase(name, pattern) for pattern in SECRET_NAMES)
    content = file.content.read_bytes() if file.size <= SCAN_BYTES else b""
    if is_named_so and ALLOW_COMMENT not in content:
        return [f"{file.path}: a file of this name holds credentials"]
    found = []
    for kind, form in SECRET_FORMS:
        for match in form.finditer(content):
            start = content.rfind(b"\n", 0, match.start()) + 1
            end = content.find(b"\n", match.end())
            line = content[start : end if end >= 0 else len(content)]
            if ALLOW_COMMENT not in line:
                number = content.count(b"\n", 0, match.start()) + 1
                found.append(f"{file.path}:{number}: {kind}")
    return found


def check_links(repository: Path, paths: Sequence[str], where: str) -> None:
    """Raise `JobError` for a path which a symbolic link leads out of the repository, or nowhere."""
    root = repository.resolve()
    for path in paths:
        if not os.path.lexists(repository / path):
            # Generated: it stands only where Pants gathered it.
            continue
        try:
            target = (repository / path).resolve(strict=True)
        except FileNotFoundError as error:
            raise JobError(
                where,
                f"{path} is a symbolic link that leads nowhere",
                "Replace it by the file itself, or take it out of the target's sources.",
            ) from error
        except (OSError, RuntimeError) as error:
            # Python up to 3.12 raises RuntimeError for a circle of links, later ones OSError.
            raise JobError(
                where, f"{path} is a symbolic link in a circle", "Replace it by the file itself."
            ) from error
        if target != root and root not in target.parents:
            raise JobError(
                where,
                f"{path} is a symbolic link that leads out of the repository",
                "Replace the link by the file itself, or take it out of the target's sources.",
            )


def size_warning(files: Sequence[Candidate]) -> str | None:
    """A sentence that names the largest files of a snapshot that is large, else None."""
    total = sum(file.size for file in files)
    if total <= SIZE_WARNING_BYTES:
        return None
    largest = sorted(files, key=lambda file: -file.size)[:3]
    named = ", ".join(f"{file.path} ({file.size / 1e6:.0f} MB)" for file in largest)
    return (
        f"the snapshot is {total / 1e6:.0f} MB. The largest files: {named}. "
        "Data is better passed as an input of the job."
    )
