"""Find the imports in a syntax tree, and which of them the code does without."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import resolve_name

from azureml_jobs.imports.conditions import Tag, Verdict, evaluate, opposite
from azureml_jobs.imports.dotted import dotted_name, last_name

_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_EXITS = {"sys.exit", "exit", "quit", "os._exit"}
_IMPORT_FUNCTIONS = {"import_module", "__import__"}


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


@dataclass(frozen=True)
class _Context:
    is_optional: bool = False
    conditions: tuple[tuple[Tag, bool], ...] = ()

    def optional(self, condition: bool = True) -> _Context:
        return replace(self, is_optional=self.is_optional or condition)

    def under(self, verdict: Verdict) -> _Context | None:
        """Return the context of what runs if the verdict is true, None if it never runs."""
        if verdict is False:
            return None
        if not isinstance(verdict, tuple):
            return self
        if verdict[0] == "types":
            return self.optional(verdict[1])
        return replace(self, conditions=(*self.conditions, verdict))


def find_imports(tree: ast.AST, text: str, python: tuple[int, int]) -> Iterator[Import]:
    """Yield what the code imports, but for branches that never run."""
    has_calls = any(function in text for function in _IMPORT_FUNCTIONS)
    open_nodes: list[tuple[ast.AST, _Context]] = [(tree, _Context())]
    while open_nodes:
        node, context = open_nodes.pop()
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Call):
            yield from _imports_of(node, context)
        # Expressions hold nothing but calls.
        if has_calls or not isinstance(node, ast.expr):
            open_nodes.extend(_children(node, context, python))


def _imports_of(node: ast.Import | ast.ImportFrom | ast.Call, context: _Context) -> list[Import]:
    line, is_optional, conditions = node.lineno, context.is_optional, context.conditions
    if isinstance(node, ast.Import):
        return [Import(each.name, (), 0, line, is_optional, conditions) for each in node.names]
    if isinstance(node, ast.ImportFrom):
        names = tuple(each.name for each in node.names)
        return [Import(node.module or "", names, node.level, line, is_optional, conditions)]
    found = _called_import(node)
    return [replace(found, is_optional=is_optional, conditions=conditions)] if found else []


def _called_import(call: ast.Call) -> Import | None:
    """Return the import of `import_module("a.b")` or `__import__("a.b")`."""
    function = last_name(call.func)
    if function not in _IMPORT_FUNCTIONS or not call.args:
        return None
    first = call.args[0]
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return None
    module = first.value.lstrip(".")
    level = len(first.value) - len(module)
    if function == "import_module" and level:
        package = call.args[1] if len(call.args) > 1 else _keyword(call, "package")
        if isinstance(package, ast.Constant) and isinstance(package.value, str):
            try:
                module, level = resolve_name(first.value, package.value), 0
            except ImportError:
                return None
        elif not isinstance(package, ast.Name) or package.id not in ("__package__", "__name__"):
            return None
    is_module = all(part.isidentifier() for part in module.split(".")) if module else level > 0
    return Import(module, (), level, call.lineno) if is_module else None


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def _children(
    node: ast.AST, context: _Context, python: tuple[int, int]
) -> Iterator[tuple[ast.AST, _Context]]:
    """Yield the parts of a node that may run, each with its context."""
    if isinstance(node, ast.If | ast.IfExp):
        verdict = evaluate(node.test, python)
        yield node.test, context
        branches = (node.body, context.under(verdict)), (
            node.orelse,
            context.under(opposite(verdict)),
        )
        for branch, inner in branches:
            if inner is not None:
                for child in branch if isinstance(branch, list) else [branch]:
                    yield child, inner
    elif isinstance(node, ast.Try | ast.TryStar):
        guarded = context.optional(any(map(_does_without, node.handlers)))
        for part in (*node.body, *node.handlers, *node.orelse):
            yield part, guarded
        yield from ((part, context) for part in node.finalbody)
    else:
        if isinstance(node, ast.With | ast.AsyncWith) and any(map(_suppresses, node.items)):
            context = context.optional()
        yield from ((child, context) for child in ast.iter_child_nodes(node))


def _listed(branch: list[ast.stmt] | ast.expr) -> Sequence[ast.AST]:
    return branch if isinstance(branch, list) else [branch]


def _does_without(handler: ast.ExceptHandler) -> bool:
    """Return whether the handler goes on after an import that failed."""
    return _catches(handler.type) and not any(map(_ends, handler.body))


def _catches(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    if isinstance(caught, ast.Tuple):
        return any(map(_catches, caught.elts))
    return last_name(caught) in _IMPORT_ERRORS


def _ends(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return dotted_name(statement.value.func) in _EXITS
    return isinstance(statement, ast.Raise)


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    return (
        isinstance(call, ast.Call)
        and last_name(call.func) == "suppress"
        and any(map(_catches, call.args))
    )
