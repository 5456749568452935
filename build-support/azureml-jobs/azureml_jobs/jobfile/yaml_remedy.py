"""Say what to write in place of a line that is not YAML."""

from __future__ import annotations

import re

import yaml

_KEY = re.compile(r"(\s*(?:-\s+)*[\w.-]+:)\s+(.+)$")
_NO_SPACE = re.compile(r"(\s*(?:-\s+)*\w+):([^\s/].*)$")
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_EXPRESSION = re.compile(r"""['"]?\$\{\{[^}]*\}\}['"]?""")
# Nobody has written a longer line.
_LONGEST = 1000
# How the problems begin that quotes remedy.
_UNQUOTED = ("found character", "found undefined alias", "could not determine a constructor")
# More than what the guard finds, which can only search what is YAML.
_MAY_BE_SECRET = re.compile(
    r"(?i)passw|pwd|secret|key|token|credential|sig=|://[^/\s]*@"
    r"|(?=[a-z+/~._-]*\d)[\w+/~.-]{20}|[a-z+/]{24}"
)
_QUOTE = re.compile("`[^`]*`|'[^']*'")


def without_secrets(message: str, text: str, error: yaml.MarkedYAMLError) -> str:
    """Return a message on an error without its quotes, if the lines may have a secret."""
    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark]
    lines = _LINE_END.split(text)[max(0, min(marks, default=0) - 1) : max(marks, default=0) + 1]
    if not _MAY_BE_SECRET.search("\n".join(lines)):
        return message
    return _QUOTE.sub("(not shown, because it may be a secret)", message)


def yaml_remedy(text: str, error: yaml.MarkedYAMLError) -> str:
    """Return a sentence with the text to write, nothing for an error without a usual cause."""
    mark, problem = error.problem_mark, error.problem or ""
    if mark is None:
        return ""
    # The error may be found at the end of the text, after its last line.
    lines = [*_LINE_END.split(text), ""]
    line, above = lines[mark.line], lines[mark.line - 1] if mark.line else ""
    if len(line) > _LONGEST:
        return ""
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent:
        return f"YAML is indented by spaces, not by tabs. Write `{line.replace(chr(9), '  ')}`."
    if problem.startswith("mapping values are not allowed"):
        return _colon_remedy(line, above, mark.column)
    if problem.startswith(_UNQUOTED) and (quoted := _quoted(line)):
        return f"Put the value in quotes: `{quoted}`."
    return _structure_remedy(error, problem, lines)


def _colon_remedy(line: str, above: str, column: int) -> str:
    """Return what to write where a colon is in a place that none can have."""
    if missing := _NO_SPACE.match(above):
        return f"A space follows the colon of a key. Write `{missing[1]}: {missing[2]}`."
    key = _KEY.match(line)
    if key and column >= len(key[1]):
        return f"A value with a colon needs quotes. Write `{_quoted(line)}`."
    return "Indent this line as far as the other keys of its level."


def _structure_remedy(error: yaml.MarkedYAMLError, problem: str, lines: list[str]) -> str:
    start = error.context_mark
    number = start.line + 1 if start else 0
    if problem.startswith("could not find expected ':'"):
        return (
            f"Line {number} is no `key: value`. Write one, or indent the line below the key to "
            "which it belongs."
        )
    if problem.startswith("found unknown escape character"):
        return "Write single quotes, in which a backslash is only itself."
    if "flow" in (error.context or "") and start:
        line = lines[start.line]
        if "${{" in line:
            valid = _EXPRESSION.sub(_in_quotes, line)
            return f"Within braces, `${{{{…}}}}` needs quotes: `{valid}`."
        quoted = _quoted(line)
        return f"Close the bracket of line {number}" + (
            f", or put the value in quotes if it is text: `{quoted}`." if quoted else "."
        )
    if problem.startswith("did not find expected"):
        mark = error.problem_mark
        before = lines[mark.line][: mark.column].rstrip() if mark else ""
        if before.endswith(("'", '"')):
            return (
                "Text follows the end of a quote. Within `'…'` write a quote twice, as in `it''s`."
            )
        return "Indent this line as far as the others of its level; a list has no keys next to it."
    return ""


def _in_quotes(expression: re.Match[str]) -> str:
    return "'{}'".format(expression[0].strip("'\""))


def _quoted(line: str) -> str:
    """Return the line with its value in quotes, nothing for a line without a key."""
    key = _KEY.match(line)
    if key is None:
        return ""
    value = key[2].rstrip()
    return f"""{key[1]} '{value.replace("'", "''")}'"""
