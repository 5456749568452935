"""Report the code that Python refuses."""

from __future__ import annotations

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.result import RUN
from azureml_jobs.imports.steps import Shared


def refused_code(shared: Shared) -> dict[str, list[str]]:
    """Return an "error" for what no Python takes, "version" for that of the job, and "doubt"."""
    found: dict[str, list[str]] = {"error": [], "version": [], "doubt": []}
    version = "Python {}.{}".format(*shared.python)
    for path in sorted(shared.sources.keys() & shared.why.keys()):
        problem = shared.sources[path].problem
        if problem is None:
            continue
        if not (problem.is_wrong_here and _is_loaded(shared, path)):
            kind, what = "doubt", "may not be valid Python"
            remedy = (
                "Of what cannot be parsed, only lines that begin with `import` or `from` are read."
            )
        elif problem.is_always_wrong:
            kind, what, remedy = "error", "is not valid Python", "Correct it."
        else:
            kind, what = "version", f"is not valid {version}"
            remedy = (
                f"Write it as {version} has it. The file of `[azureml].image_platform` describes "
                "the image's Python."
            )
        if kind != "doubt" and not shared.why[path].startswith(RUN):
            remedy += (
                "\nIf the job does without this file, write `# pants: no-infer-dep` behind its "
                "import."
            )
        what = f"this {what} ({problem.reason}: `{problem.text}`)"
        found[kind].append(str(JobError(f"{path}:{problem.line}", what, remedy)))
    return found


def _is_loaded(shared: Shared, path: str) -> bool:
    """Return whether Python loads the file, which may be there for its text alone."""
    while shared.by.get(path) in shared.why:
        path = shared.by[path]
    return shared.why[path].startswith((RUN, "imported by", "named in"))
