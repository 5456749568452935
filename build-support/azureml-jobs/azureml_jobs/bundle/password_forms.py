"""Find passwords and tokens that people chose or pasted: only what is around them shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detect_secrets.filters import heuristic
from detect_secrets.plugins.keyword import (
    CONFIG_DENYLIST_REGEX_TO_GROUP,
    QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP,
)

_CONNECTION_STRING = re.compile(
    r"(?i)(?:server|data source|initial catalog|database|user id|uid)\s*=[^\n\"']{0,200}?;"
    r"\s*(?:password|pwd)\s*=\s*([^;\"'\n]{6,})"
)
_ADDRESS_WITH_PASSWORD = re.compile(
    r"://([^\s:/?#\[\]@\"'<>{}]*):([^\s/?#@\"'<>{}]+)@([^\s:/?#\"'<>{}]*)"
)
_ADDRESS_WITH_TOKEN = re.compile(r"https?://([A-Za-z0-9_~.-]{16,})@")
_TOKEN_NAME = (
    r"(?i:access|auth|api|bearer|refresh|bot|sas|github|gitlab|hf|huggingface|hub|personal|ssh)"
    r"(?i:[_-]?access)?[_-]?(?i:token)\b[\"']?\s*[:=]\s*"
)
_TOKEN_IN_QUOTES = re.compile(_TOKEN_NAME + r"[\"']([^\"'\s]{16,})[\"']")
_TOKEN = re.compile(_TOKEN_NAME + r"[\"']?([^\"'\s,;]{16,})")
# An option of a command.
_OPTION = re.compile(
    r"(?i)--(?:\w+[_-])*(?:password|passwd|pwd|secret|api[_-]?key|(?:account|access)[_-]key|token)"
    r"[ =]+[\"']?([^\s\"'\\]{8,})"
)

# What people write where a value has to be filled in.
_PLACEHOLDER = re.compile(
    r"your|example|change_?me|placeholder|dummy|fake|sample|replace|insert|redacted"
    r"|x{4}|\*{3}|\.{3}|[<{\[]\w+[>}\]]|\$\{\{"
    r"|\b(?:user|pass|password|passwd|pwd|secret|token)\d*\b",
    re.IGNORECASE,
)
# What names a secret without being one.
_NAME_OF_A_SECRET = re.compile(
    r"(?:secret|password|passwd|pwd|key)\w*[_-]"
    r"(?:name|id|path|file|url|uri|env|var|type|version|ref|scope|field|column|label|prefix)\b",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"\W*(?:\w*[_-])?(?:password|passwd|pwd)", re.IGNORECASE)
# The name of a variable, an attribute or a value.
_NAME = re.compile(
    r"(?-i:^[A-Z_]+$)|^\w+(?:\.\w+)+$|[(\[]|pass|pwd|secret|key|credential|none|null|true|false",
    re.IGNORECASE,
)
# An address that carries no credentials.
_ADDRESS = re.compile(r"https?://(?!.*(?:@|(?:sig|code|key|token|secret|pass\w*)=))", re.IGNORECASE)
# A server that only its own machine reaches.
_OWN_MACHINE = re.compile(r"localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|host(?:name)?|\$.*", re.I)


def in_addresses(text: str, is_plain: bool) -> Iterator[str]:
    """Yield passwords and tokens before the hosts of addresses."""
    for match in _ADDRESS_WITH_PASSWORD.finditer(text):
        user, password, host = match.groups()
        if user != password and not _is_placeholder(password) and not _OWN_MACHINE.fullmatch(host):
            yield password
    for match in _ADDRESS_WITH_TOKEN.finditer(text):
        if _is_mixed(match[1]) and not _is_placeholder(match[1]):
            yield match[1]


def assigned_passwords(text: str, is_plain: bool) -> Iterator[str]:
    """Yield the values of `password`, `secret`, `api_key` and their like; `is_plain` if values
    need no quotes."""
    for match in _CONNECTION_STRING.finditer(text):
        if not _is_placeholder(match[1]):
            yield match[1]
    keywords = (
        CONFIG_DENYLIST_REGEX_TO_GROUP if is_plain else QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP
    )
    for pattern, group in keywords.items():
        yield from _assigned(pattern, group, text, is_plain)
    if is_plain:
        yield from _assigned(_OPTION, 1, text, is_plain)


def assigned_tokens(text: str, is_plain: bool) -> Iterator[str]:
    """Yield the values of `access_token` and its like."""
    yield from _assigned(_TOKEN if is_plain else _TOKEN_IN_QUOTES, 1, text, is_plain)
    if is_plain:
        yield from _assigned(_OPTION, 1, text, is_plain)


def _assigned(pattern: re.Pattern[str], group: int, text: str, is_plain: bool) -> Iterator[str]:
    for match in pattern.finditer(text):
        value = match[group]
        if heuristic.is_indirect_reference(f"x={value}") or _NAME_OF_A_SECRET.search(match[0]):
            continue
        if is_plain and " " in value:
            # What follows may be a comment, or the next value of a line.
            value = value.split()[0].rstrip(",;})]\"'")
        if _is_password(value, match[0]) and not _is_placeholder(value):
            yield value


def _is_password(value: str, assignment: str) -> bool:
    is_word = not _is_mixed(value)
    return (
        len(value) >= 8
        and not re.search(r"\s", value)
        # A word may be the name of a key or of a secret, but hardly of a password.
        and not (is_word and (not _PASSWORD.match(assignment) or _NAME.search(value)))
        and not heuristic.is_potential_uuid(value)
        and not _ADDRESS.match(value)
    )


def _is_mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _is_placeholder(value: str) -> bool:
    return (
        heuristic.is_templated_secret(value)
        or heuristic.is_prefixed_with_dollar_sign(value)
        or heuristic.is_sequential_string(value)
        or heuristic.is_not_alphanumeric_string(value)
        or _PLACEHOLDER.search(value) is not None
    )
