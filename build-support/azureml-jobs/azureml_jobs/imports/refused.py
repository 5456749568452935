"""Report the code that Python refuses."""

from __future__ import annotations

from dataclasses import dataclass

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.result import RUN
from azureml_jobs.imports.steps import Shared

_UNLESS_LOADED = (
    "\nIf the job does without this file, write `# pants: no-infer-dep` behind its import."
)


@dataclass(frozen=True)
class RefusedCode:
    """Messages on what every Python refuses, what that of the job does, and what one may refuse."""

    errors: tuple[str, ...]
    version_errors: tuple[str, ...]
    doubts: tuple[str, ...]


def refused_code(shared: Shared) -> RefusedCode:
    errors, version_errors, doubts = [], [], []
    version = "Python {}.{}".format(*shared.python)
    for path in sorted(shared.sources.keys() & shared.why.keys()):
        problem = shared.sources[path].problem
        if problem is None:
            continue
        where, what = f"{path}:{problem.line}", f"({problem.reason}: `{problem.text}`)"
        is_run = shared.why[path].startswith(RUN)
        unless = "" if is_run else _UNLESS_LOADED
        if not (problem.is_wrong_here and _is_loaded(shared, path)):
            doubt = JobError(
                where,
                f"this may not be valid Python {what}",
                "Of what cannot be parsed, only lines that begin with `import` or `from` are read.",
            )
            doubts.append(str(doubt))
        elif problem.is_always_wrong:
            error = JobError(where, f"this is not valid Python {what}", f"Correct it.{unless}")
            errors.append(str(error))
        else:
            error = JobError(
                where,
                f"this is not valid {version} {what}",
                f"Write it as {version} has it. The file of `[azureml].image_platform` describes "
                f"the image's Python.{unless}",
            )
            version_errors.append(str(error))
    return RefusedCode(tuple(errors), tuple(version_errors), tuple(doubts))


def _is_loaded(shared: Shared, path: str) -> bool:
    """Return whether Python loads the file, which may be there for its text alone."""
    while shared.by.get(path) in shared.why:
        path = shared.by[path]
    return shared.why[path].startswith((RUN, "imported by", "named in"))
