"""Find the imports in code, and which of them the code does without."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import resolve_name

from azureml_jobs.imports.conditions import Tag, Verdict, evaluate, opposite

_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_EXITS = {"sys.exit", "exit", "quit", "os._exit"}
_IMPORT_FUNCTIONS = {"import_module", "__import__"}
_FROM_LINE = re.compile(r"(\s*)from\s+(\.*)\s*([\w.]*)\s+import\s+(\([^)]*\)|[^#;\n]+)")
_IMPORT_LINE = re.compile(r"(\s*)import\s+([^#;\n]+)")


@dataclass(frozen=True)
class Import:
    """One import statement, or one call of `import_module` with a literal.

    names: those of `from module import names`; empty for `import module`.
    level: the number of dots of a relative import.
    is_optional: whether the code does without it.
    conditions: what must hold for it to run: `("main", True)` for code below
        `if __name__ == "__main__"`, `("packaged", False)` below `if not __package__`.
    """

    module: str
    names: tuple[str, ...]
    level: int
    line: int
    is_optional: bool = False
    conditions: tuple[tuple[Tag, bool], ...] = ()

    def under(self, verdict: Verdict) -> Import | None:
        """Return it as it is where the verdict must be true, None if that never is."""
        if verdict is False:
            return None
        if not isinstance(verdict, tuple):
            return self
        if verdict[0] == "types":
            return self.optional(verdict[1])
        return replace(self, conditions=(*self.conditions, verdict))

    def optional(self, condition: bool = True) -> Import:
        return replace(self, is_optional=self.is_optional or condition)


def dotted_name(expression: ast.expr | None) -> str:
    """Return `a.b` for an expression that is a name, with `?` for any other part of it."""
    if isinstance(expression, ast.Attribute):
        return f"{dotted_name(expression.value)}.{expression.attr}"
    return expression.id if isinstance(expression, ast.Name) else "?"


def last_name(expression: ast.expr | None) -> str:
    """Return `b` for `a.b`."""
    return dotted_name(expression).rpartition(".")[2]


def find_imports(tree: ast.AST, text: str, python: tuple[int, int]) -> Iterator[Import]:
    """Yield what the code imports, but for branches that never run."""
    has_calls = any(function in text for function in _IMPORT_FUNCTIONS)
    # Each node has an import that stands for those in it.
    open_nodes: list[tuple[ast.AST, Import]] = [(tree, Import("", (), 0, 0))]
    while open_nodes:
        node, context = open_nodes.pop()
        if isinstance(node, ast.Import):
            for each in node.names:
                yield replace(context, module=each.name, line=node.lineno)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(each.name for each in node.names)
            module, level = node.module or "", node.level
            yield replace(context, module=module, names=names, level=level, line=node.lineno)
        elif isinstance(node, ast.Call) and (called := _called_import(node)):
            yield replace(context, module=called[0], level=called[1], line=node.lineno)
        # Expressions hold nothing but calls.
        if has_calls or not isinstance(node, ast.expr):
            open_nodes.extend(_children(node, context, python))


def _called_import(call: ast.Call) -> tuple[str, int] | None:
    """Return module and level of `import_module("a.b")` or `__import__("a.b")`."""
    function = last_name(call.func)
    first = call.args[0] if function in _IMPORT_FUNCTIONS and call.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return None
    module = first.value.lstrip(".")
    level = len(first.value) - len(module)
    if function == "import_module" and level:
        keywords = [each.value for each in call.keywords if each.arg == "package"]
        match [*call.args[1:], *keywords, None][0]:
            case ast.Constant(value=str(package)):
                try:
                    module, level = resolve_name(first.value, package), 0
                except ImportError:
                    return None
            case ast.Name(id="__package__" | "__name__"):
                pass
            case _:
                return None
    is_module = all(part.isidentifier() for part in module.split(".")) if module else level > 0
    return (module, level) if is_module else None


def _children(
    node: ast.AST, context: Import, python: tuple[int, int]
) -> Iterator[tuple[ast.AST, Import]]:
    """Yield the parts of a node that may run, each with its context."""
    if isinstance(node, ast.If | ast.IfExp):
        verdict = evaluate(node.test, python)
        yield node.test, context
        for branch, inner in (
            (node.body, context.under(verdict)),
            (node.orelse, context.under(opposite(verdict))),
        ):
            if inner is not None:
                for child in branch if isinstance(branch, list) else [branch]:
                    yield child, inner
    elif isinstance(node, ast.Try | ast.TryStar):
        guarded = context.optional(any(map(_does_without, node.handlers)))
        yield from ((part, guarded) for part in (*node.body, *node.handlers, *node.orelse))
        yield from ((part, context) for part in node.finalbody)
    else:
        if isinstance(node, ast.With | ast.AsyncWith) and any(map(_suppresses, node.items)):
            context = context.optional()
        yield from ((child, context) for child in ast.iter_child_nodes(node))


def _does_without(handler: ast.ExceptHandler) -> bool:
    """Return whether the handler goes on after an import that failed."""
    return _catches(handler.type) and not any(map(_ends, handler.body))


def _catches(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(map(_catches, caught.elts))
    return caught is None or last_name(caught) in _IMPORT_ERRORS


def _ends(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return dotted_name(statement.value.func) in _EXITS
    return isinstance(statement, ast.Raise)


def _suppresses(item: ast.withitem) -> bool:
    match item.context_expr:
        case ast.Call(func=function, args=caught):
            return last_name(function) == "suppress" and any(map(_catches, caught))
    return False


def imports_by_line(text: str) -> Iterator[Import]:
    """Yield the imports of text that cannot be parsed; indented ones may be guarded: optional."""
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        statement = line if "(" not in line else "\n".join(lines[number - 1 :])[:4000]
        if found := _FROM_LINE.match(statement):
            indent, dots, module, names = found.groups()
            listed = tuple(_names(re.sub(r"#.*", "", names).strip(" ()\n")))
            if listed and (module or dots):
                yield Import(module, listed, len(dots), number, bool(indent))
        elif found := _IMPORT_LINE.match(line):
            for name in _names(found[2]):
                yield Import(name, (), 0, number, bool(found[1]))


def _names(text: str) -> Iterator[str]:
    """Yield the names of `a as b, c`."""
    for part in text.replace("\\", " ").split(","):
        name = part.split()[0] if part.split() else ""
        if name == "*" or all(piece.isidentifier() for piece in name.split(".")):
            yield name
