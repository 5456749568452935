"""Report imports that neither a file of the snapshot nor a package satisfies."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.result import OutsideModule

# What names of packages have around the name of their module.
_AROUND = frozenset(("binary", "cpu", "gpu", "headless", "nightly", "py", "python", "skinny"))


def missing_errors(
    modules: Iterable[OutsideModule],
    resolve: str,
    requirements: Collection[str],
    projects: Mapping[str, Iterable[str]],
    listed: Collection[str] = (),
) -> tuple[str, ...]:
    """Return one message for each kind of error, with what to write.

    `requirements` are the files that list the packages of the resolve, `listed` the names in them;
    `projects` are packages that have the module of this name, as far as is known.
    """
    found = sorted(set(modules), key=lambda each: (each.path, each.line, each.module))
    packages = [each for each in found if each.remedy is None or each.similar is not None]
    files = [each for each in found if each not in packages]
    messages = []
    if packages:
        what = f"no package of the resolve `{resolve}` has the module"
        remedy = _packages_remedy(packages, resolve, sorted(requirements), projects, listed)
        messages.append(_message({each: f"{what} {_named(each)}" for each in packages}, remedy))
    for hint in dict.fromkeys(each.remedy or "" for each in files):
        own = {each: _reason(each) for each in files if each.remedy == hint}
        messages.append(_message(own, hint))
    return tuple(messages)


def _named(module: OutsideModule) -> str:
    hint = f", and the nearest module is {module.similar}" if module.similar else ""
    return f"`{module.module}`{hint}"


def _reason(module: OutsideModule) -> str:
    if module.nearest is not None:
        return f"Python does not find the module `{module.module}`, which is {module.nearest}"
    return f"no file is the module `{module.module}`"


def excluded_error(
    module: OutsideModule, requirement: str, requirements: Collection[str], platform: str
) -> JobError:
    """Return the error that the image does not get the package that has a module.

    `platform` is the file that describes the image's Python.
    """
    return JobError(
        module.where,
        f"the image does not get `{requirement}`, which has the module `{module.module}`: the "
        "marker excludes it",
        f"Change the marker in {' and '.join(requirements) or 'the list'}, or import the module "
        "only where it is, such as under `if sys.platform == …:`. The image's Python is described "
        f"in {platform}.",
    )


def _packages_remedy(
    packages: list[OutsideModule],
    resolve: str,
    requirements: list[str],
    projects: Mapping[str, Iterable[str]],
    listed: Collection[str],
) -> str:
    known = sorted({project for each in packages for project in projects.get(each.module, ())})
    likely = f" (likely {', '.join(f'`{project}`' for project in known)})" if known else ""
    files = " and ".join(requirements) or f"the requirements of the resolve `{resolve}`"
    hints = "".join(f"{hint} " for hint in dict.fromkeys(each.remedy for each in packages) if hint)
    return (
        f"{hints}Add the package{likely} to {files}, then run `./pants sync-lockfiles "
        f"--resolve={resolve}`. {_mapping_remedy(packages, requirements, listed)} For an import "
        "that the code can do without, write `# pants: no-infer-dep` behind it."
    )


def _mapping_remedy(
    packages: list[OutsideModule], requirements: list[str], listed: Collection[str]
) -> str:
    """Say what to write for packages whose names do not show their modules."""
    found = mappings_for([name for each in packages for name in each.dotted_names], listed)
    mappings = found or {"NAME": packages[0].module}
    written = ", ".join(f'`"{project}": ["{module}"]`' for project, module in mappings.items())
    build = posixpath.join(posixpath.dirname(requirements[0]), "BUILD") if requirements else "BUILD"
    there = ", ".join(f"`{project}`" for project in found) or "a package"
    return f"If {there} of that list has it, write {written} into `module_mapping` in {build}."


def _message(findings: Mapping[OutsideModule, str], remedy: str) -> str:
    """Return a line for each finding, and the remedy once."""
    *lines, last = (JobError(each.where, what) for each, what in findings.items())
    return "\n".join(map(str, (*lines, JobError(last.where, last.what, remedy))))


def module_of(project: str, module: str) -> str:
    """Return the part of a dotted `module` that the package `project` seems to have, if any.

    `azure-data-tables` has `azure.data.tables`, and `PyFoo`, `foo-cpu` and `python-foo` have `foo`.
    """
    names, parts = _words(project), module.split(".")
    if names == [part.lower() for part in parts[: len(names)]]:
        return ".".join(parts[: len(names)])
    bare = [name for name in names if name not in _AROUND]
    top = _words(parts[0])
    return parts[0] if top in (bare, _words(project.lower().removeprefix("py"))) else ""


def mappings_for(modules: Iterable[str], projects: Iterable[str]) -> dict[str, str]:
    """Map packages among `projects` that seem to have one of the modules to the part they have."""
    projects, found = sorted(projects), {}
    for module in modules:
        # The longest is the most specific.
        best = max(projects, key=lambda each: len(module_of(each, module)), default="")
        if best and (part := module_of(best, module)):
            found[best] = part
    return found


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[-_.]+", name.lower()) if word]
