"""Report imports that neither a file of the snapshot nor a package satisfies."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.package_names import mappings_for
from azureml_jobs.imports.result import OutsideModule


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
    messages = [_packages_message(packages, resolve, sorted(requirements), projects, listed)]
    files = [each for each in found if each not in packages]
    for remedy in dict.fromkeys(each.remedy or "" for each in files):
        own = [(each, _reason(each)) for each in files if each.remedy == remedy]
        messages.append(_message(own, remedy))
    return tuple(message for message in messages if message)


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


def _packages_message(
    packages: list[OutsideModule],
    resolve: str,
    requirements: list[str],
    projects: Mapping[str, Iterable[str]],
    listed: Collection[str],
) -> str:
    known = sorted({project for each in packages for project in projects.get(each.module, ())})
    likely = f" (likely {', '.join(f'`{project}`' for project in known)})" if known else ""
    files = " and ".join(requirements) or f"the requirements of the resolve `{resolve}`"
    return _message(
        [
            (
                each,
                f"no package of the resolve `{resolve}` has the module `{each.module}`"
                + (f", and the nearest file is {each.similar}" if each.similar else ""),
            )
            for each in packages
        ],
        "".join(f"{hint} " for hint in dict.fromkeys(each.remedy for each in packages) if hint)
        + f"Add the package{likely} to {files}, then run `./pants sync-lockfiles "
        f"--resolve={resolve}`. {_mapping_remedy(packages, requirements, listed)} For an import "
        "that the code can do without, write `# pants: no-infer-dep` behind it.",
    )


def _mapping_remedy(
    packages: list[OutsideModule], requirements: list[str], listed: Collection[str]
) -> str:
    """Say what to write for packages whose names do not show their modules."""
    found = mappings_for([name for each in packages for name in each.dotted_names], listed)
    lines = [f'`"{project}": ["{module}"]`' for project, module in found.items()]
    if not lines and packages:
        lines = [f'`"NAME": ["{packages[0].module}"]`']
    build = posixpath.join(posixpath.dirname(requirements[0]), "BUILD") if requirements else "BUILD"
    there = ", ".join(f"`{project}`" for project in found) or "a package"
    written = ", ".join(lines)
    return f"If {there} of that list has it, write {written} into `module_mapping` in {build}."


def _message(findings: list[tuple[OutsideModule, str]], remedy: str) -> str:
    """Return a line for each finding and the remedy once, nothing when there is no finding."""
    errors = [
        JobError(each.where, what, remedy if number == len(findings) else "")
        for number, (each, what) in enumerate(findings, start=1)
    ]
    return "\n".join(str(error) for error in errors)
