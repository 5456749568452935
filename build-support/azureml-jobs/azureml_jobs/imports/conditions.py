"""Which branch of an `if` runs, as far as the interpreter and the platform decide it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, Literal

# What only type checkers see, and what depends on the name under which a file is loaded.
Tag = Literal["types", "main", "packaged"]
# A tag with False means the opposite: code that runs unless the file is the main module.
Verdict = bool | tuple[Tag, bool] | None

_TYPE_CHECKING = {"TYPE_CHECKING", "MYPY"}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


def evaluate(condition: ast.expr, python: tuple[int, int]) -> Verdict:
    """Return whether the condition holds on this version of Python on Linux, None if unknown."""
    match condition:
        case ast.Constant(value=value):
            return bool(value)
        case ast.Name() | ast.Attribute():
            return _named(ast.unparse(condition))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return opposite(evaluate(operand, python))
        case ast.BoolOp(op=kind, values=values):
            verdicts = [evaluate(value, python) for value in values]
            return _combined(verdicts, decisive=isinstance(kind, ast.Or))
        case ast.Compare(left=left, ops=[kind], comparators=[right]):
            return _compared(ast.unparse(left), type(kind), _literal(right), python)
        case ast.Call(args=[prefix]) if ast.unparse(condition.func) == "sys.platform.startswith":
            value = _literal(prefix)
            return "linux".startswith(value) if isinstance(value, str | tuple) else None
    return None


def opposite(verdict: Verdict) -> Verdict:
    if isinstance(verdict, tuple):
        return verdict[0], not verdict[1]
    return None if verdict is None else not verdict


def _named(name: str) -> Verdict:
    last = name.rpartition(".")[2]
    if last in _TYPE_CHECKING:
        return "types", True
    if last in ("PY2", "PY3"):
        return last == "PY3"
    return ("packaged", True) if name == "__package__" else None


def _combined(verdicts: list[Verdict], decisive: bool) -> Verdict:
    """Return the verdict on `or` (decided by True) or on `and` (decided by False)."""
    if decisive in verdicts:
        return decisive
    open_verdicts = [verdict for verdict in verdicts if verdict is not (not decisive)]
    if all(verdict == open_verdicts[0] for verdict in open_verdicts):
        return open_verdicts[0] if open_verdicts else not decisive
    # `TYPE_CHECKING and x` never runs either; `TYPE_CHECKING or x` may run.
    tags = [verdict for verdict in open_verdicts if isinstance(verdict, tuple)]
    return tags[0] if tags and not decisive else None


def _compared(name: str, kind: type[ast.cmpop], value: Any, python: tuple[int, int]) -> Verdict:
    if name == "__name__" and value == "__main__" and kind in (ast.Eq, ast.NotEq):
        return "main", kind is ast.Eq
    if name == "__package__":
        values = value if isinstance(value, tuple) else (value,)
        is_empty = all(each in ("", None) for each in values)
        return ("packaged", kind in (ast.NotEq, ast.IsNot, ast.NotIn)) if is_empty else None
    known, comparison = _known(name, python), _COMPARISONS.get(kind)
    if known is None or comparison is None:
        return None
    try:
        return bool(comparison(known, value))
    except TypeError:
        return None


def _known(name: str, python: tuple[int, int]) -> Any:
    """Return the value of what Python says of itself: `sys.version_info[0]`, `sys.platform`."""
    _, is_version, part = name.rpartition("version_info")
    if is_version:
        index = {"[0]": 0, ".major": 0, "[1]": 1, ".minor": 1}.get(part)
        parts = {"": (*python, 0), "[:2]": python, "[0:2]": python}
        return parts.get(part) if index is None else python[index]
    return {"sys.platform": "linux", "os.name": "posix", "platform.system()": "Linux"}.get(name)


def _literal(expression: ast.expr) -> Any:
    try:
        return ast.literal_eval(expression)
    except ValueError:
        return ...
