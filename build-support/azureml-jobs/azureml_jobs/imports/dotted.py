"""Read the dotted name of an expression."""

from __future__ import annotations

import ast


def dotted_name(expression: ast.expr | None) -> str:
    """Return `a.b` for an expression that is a name, with `?` for any other part of it."""
    if isinstance(expression, ast.Attribute):
        return f"{dotted_name(expression.value)}.{expression.attr}"
    return expression.id if isinstance(expression, ast.Name) else "?"


def last_name(expression: ast.expr | None) -> str:
    """Return `b` for `a.b`."""
    return dotted_name(expression).rpartition(".")[2]
