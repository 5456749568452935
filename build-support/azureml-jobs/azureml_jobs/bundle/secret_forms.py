"""Find what looks like a secret in a text: the forms of detect-secrets, and those of Azure.

A regular expression is tried only on lines with a hint that every secret of its form has: 1 MB of
code then takes about 0.04 s, and not 1.6 s. A hint begins with a literal, for which Python searches
fast.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from azureml_jobs.bundle.password_forms import assigned_passwords, assigned_tokens, in_addresses
from azureml_jobs.bundle.suspicions import ALLOW_COMMENT, Secret
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.stripe import StripeDetector

_Finder = Callable[[str, bool], Iterable[object]]
_Form = tuple[str, _Finder]


def _of(detector: BasePlugin) -> _Form:
    return detector.secret_type, lambda text, is_plain: detector.analyze_string(text)


def _matching(kind: str, *patterns: str) -> _Form:
    search = re.compile("|".join(f"(?:{pattern})" for pattern in patterns)).finditer
    return kind, lambda text, is_plain: search(text)


# Sources: Microsoft Purview's sensitive information types, and the rules of
# https://github.com/microsoft/security-utilities.
_AZURE_KEY = _matching(
    "Azure Key",
    r"AccountKey=[A-Za-z0-9+/]{80,}={0,2}",
    # Service Bus, Event Hubs, IoT Hub.
    r"SharedAccessKey=[A-Za-z0-9+/]{40,}=",
    r"[?&]sig=[A-Za-z0-9%+/]{40,}",
    # A client secret of Microsoft Entra ID.
    r"(?<![\w~.-])[\w~.-]{3}8Q~[\w~.-]{34}(?![\w~.-])",
    # Azure DevOps, and the services that sign their keys: AI services, Search, Maps and others.
    r"(?<!\w)[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?!\w)",
    r"[A-Za-z0-9]{52}JQQJ9[9DH][A-Za-z0-9][A-L][A-Za-z0-9]{16}[A-Za-z][A-Za-z0-9]{7}",
)
# Keys that are nothing but long: most of them are shown by the words before them.
_LONG_KEY = _matching(
    "Key or Token",
    # 512 bits in base64: storage, Cosmos DB, Batch. Lock files of npm have such digests, and the
    # key of the storage emulator is everybody's.
    r"(?<![\w+/-])(?!Eby8vdM02xNOcqFl)[A-Za-z0-9+/]{86}==(?![\w+/=])",
    # Tokens of Azure DevOps before 2024.
    r"(?i:pat|token|vsts|devops|azure\.com).{0,80}?(?<!\w)[a-z2-7]{52}(?!\w)",
    # Azure's AI services, Search and others.
    r"(?i:openai|azure|cognitive|speech|search|subscription|ocp-apim)[\w-]*(?i:key)\w*"
    r"[\"']?\s*[:=,]\s*[\"']?[0-9a-fA-F]{32}(?!\w)",
    r"(?i:wandb)[\w.\s\"'-]{0,30}?[=:(,\s]\s*[\"']?[0-9a-f]{40}(?!\w)",
    r"(?i:aws).{0,20}?(?i:key|pwd|pw|pass|token).{0,20}?[\"' =:]([0-9a-zA-Z/+]{40})"
    r"(?![0-9a-zA-Z/+=])",
)
# detect-secrets finds them within pictures in base64 as well.
_AWS_KEY = _matching(
    "AWS Access Key", r"(?<![\w+/])(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}(?![\w+/])"
)
_MODEL_HUB_TOKEN = _matching(
    "Hugging Face, OpenAI or Anthropic Token",
    r"(?<!\w)hf_[A-Za-z0-9]{34}(?!\w)",
    r"(?<![\w-])sk-(?:proj|svcacct|admin|ant)-[\w-]{20,}",
)
_FINE_GRAINED_GITHUB_TOKEN = _matching(
    "GitHub Token", r"(?<!\w)github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?!\w)"
)
# One search for what all names of keys end with takes less than one for each.
_KEY_NAMES = ("api", "auth", "service", "account", "db", "base", "priv", "private", "client")
_KEY = "key(?:_?pass|(?<=api-key){})".format(
    "".join(f"|(?<={name}key)|(?<={name}_key)" for name in _KEY_NAMES)
)
# Each with what a line with such a secret has, in small letters.
_FORMS: tuple[tuple[_Form, tuple[str, ...]], ...] = (
    (_AWS_KEY, ("a(?:3t|bia|cca|kia|sia)",)),
    (_of(GitHubTokenDetector()), ("gh[pousr]_",)),
    (_FINE_GRAINED_GITHUB_TOKEN, ("github_pat_",)),
    (_of(GitLabTokenDetector()), ("gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-", "gr1348941")),
    (_of(JwtTokenDetector()), ("eyj",)),
    (_of(NpmDetector()), ("_authtoken",)),
    (_of(OpenAIDetector()), ("t3blbkfj",)),
    (_of(PrivateKeyDetector()), ("private key", "putty-user-key-file")),
    (_of(PypiTokenDetector()), ("pypi-age",)),
    (_of(SendGridDetector()), (r"sg\.",)),
    (_of(SlackDetector()), ("xox[abposr]-", r"hooks\.slack\.com")),
    (_of(StripeDetector()), ("k_live_",)),
    (_AZURE_KEY, ("key=", "sig=", "8q~", "azdo", "jqqj9")),
    (_MODEL_HUB_TOKEN, ("hf_", "sk-")),
    (("Password in an Address", in_addresses), ("://",)),
    (
        ("Password", assigned_passwords),
        ("passw", "pwd", "secret", "db_?pass", "base_?pass", _KEY),
    ),
    (("Token", assigned_tokens), (r"token[\"']?\s*[:=]", "token ")),
)
_LONG = 32
_DIGIT, _LETTER = re.compile(rb"\d"), re.compile(rb"[A-Za-z]")
# A byte that may be in a long key is made an `a`, any other a blank.
_KEY_LETTERS = bytes(
    0x61 if chr(byte).isascii() and chr(byte).isalnum() or chr(byte) in "+/" else 0x20
    for byte in range(256)
)
# A secret is within so many letters of what gives it away.
_AROUND = 1000


def secrets_in(content: bytes, is_plain: bool) -> list[Secret]:
    """Return what looks like secrets; `is_plain` if values may be texts without quotes."""
    # Every byte is a letter: what is not text is searched as well, and UTF-16 has no other zeros.
    content = content.replace(b"\0", b"")
    plain = content.lower()
    forms = [(form, _spans_with(hints, plain)) for form, hints in _FORMS]
    found = set()
    for (kind, find), spans in [*forms, (_LONG_KEY, _spans_with_long(content))]:
        for start, end in spans:
            if any(find(content[start:end].decode("latin-1"), is_plain)):
                found.add(_secret(content, start, kind))
    return sorted(found, key=lambda secret: (secret.line, secret.kind))


def _spans_with(hints: Iterable[str], plain: bytes) -> set[tuple[int, int]]:
    """Return where the lines are that have a hint; of a long line, what is around it."""
    found = set()
    for hint in hints:
        search, at = re.compile(hint.encode()).search, 0
        while match := search(plain, at):
            start, end = _around(plain, match.start())
            found.add((start, end))
            at = max(match.end(), end - _AROUND // 2)
    return found


def _spans_with_long(content: bytes) -> set[tuple[int, int]]:
    """Return the same of lines with a word of letters and digits that is as long as a key."""
    found = set()
    letters, long = content.translate(_KEY_LETTERS), b"a" * _LONG
    at = letters.find(long)
    while at >= 0:
        end = letters.find(b" ", at)
        end = end if end >= 0 else len(content)
        if _DIGIT.search(content, at, end) and _LETTER.search(content, at, end):
            found.add(_around(content, at))
        at = letters.find(long, end)
    return found


def _around(text: bytes, at: int) -> tuple[int, int]:
    start = max(text.rfind(b"\n", 0, at) + 1, at - _AROUND)
    end = text.find(b"\n", at, at + _AROUND)
    return start, end if end >= 0 else min(len(text), at + _AROUND)


def _secret(content: bytes, position: int, kind: str) -> Secret:
    end = content.find(b"\n", position)
    line = content[content.rfind(b"\n", 0, position) + 1 : end if end >= 0 else len(content)]
    return Secret(content.count(b"\n", 0, position) + 1, kind, ALLOW_COMMENT.encode() in line)
