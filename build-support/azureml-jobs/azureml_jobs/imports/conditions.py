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
_TYPE_CHECKING = {"TYPE_CHECKING", "MYPY"}
_NO_PACKAGE = ("", None)


def evaluate(condition: ast.expr, python: tuple[int, int]) -> Verdict:
    """Return whether the condition holds on this version of Python on Linux, None if unknown."""
    if isinstance(condition, ast.Constant):
        return bool(condition.value)
    if isinstance(condition, ast.Name | ast.Attribute):
        return _named(ast.unparse(condition))
    if isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not):
        return opposite(evaluate(condition.operand, python))
    if isinstance(condition, ast.BoolOp):
        verdicts = [evaluate(value, python) for value in condition.values]
        return _combined(verdicts, decisive=isinstance(condition.op, ast.Or))
    if isinstance(condition, ast.Compare) and len(condition.ops) == 1:
        return _compared(condition, python)
    if isinstance(condition, ast.Call):
        return _starts_with(condition)
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
    if not open_verdicts:
        return not decisive
    if all(verdict == open_verdicts[0] for verdict in open_verdicts):
        return open_verdicts[0]
    # `TYPE_CHECKING and x` never runs either; `TYPE_CHECKING or x` may run.
    tags = [verdict for verdict in open_verdicts if isinstance(verdict, tuple)]
    return tags[0] if tags and not decisive else None


def _compared(condition: ast.Compare, python: tuple[int, int]) -> Verdict:
    left, right, kind = condition.left, condition.comparators[0], type(condition.ops[0])
    name = ast.unparse(left)
    value = _literal(right)
    if name == "__name__" and value == "__main__" and kind in (ast.Eq, ast.NotEq):
        return "main", kind is ast.Eq
    if name == "__package__":
        return _compared_package(kind, value)
    known = _known(left, python)
    comparison = _COMPARISONS.get(kind)
    if known is None or comparison is None:
        return None
    try:
        return bool(comparison(known, value))
    except TypeError:
        return None


def _compared_package(kind: type[ast.cmpop], value: Any) -> Verdict:
    """Return the verdict on `__package__ is None`, `__package__ in ("", None)` and the like."""
    values = value if isinstance(value, tuple) else (value,)
    if not all(each in _NO_PACKAGE for each in values):
        return None
    return "packaged", kind in (ast.NotEq, ast.IsNot, ast.NotIn)


def _known(expression: ast.expr, python: tuple[int, int]) -> Any:
    """Return the value of what Python says of itself: `sys.version_info[0]`, `sys.platform`."""
    name = ast.unparse(expression)
    if name.endswith("version_info"):
        return (*python, 0)
    if name.endswith(("version_info[0]", "version_info.major")):
        return python[0]
    if name.endswith(("version_info[1]", "version_info.minor")):
        return python[1]
    if name.endswith(("version_info[:2]", "version_info[0:2]")):
        return python
    return {"sys.platform": "linux", "os.name": "posix", "platform.system()": "Linux"}.get(name)


def _starts_with(call: ast.Call) -> Verdict:
    if ast.unparse(call.func) == "sys.platform.startswith" and len(call.args) == 1:
        prefix = _literal(call.args[0])
        if isinstance(prefix, str | tuple):
            return "linux".startswith(prefix)
    return None


def _literal(expression: ast.expr) -> Any:
    try:
        return ast.literal_eval(expression)
    except ValueError:
        return ...
