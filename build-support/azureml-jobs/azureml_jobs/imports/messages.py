"""Report imports that neither a file of the snapshot nor a package satisfies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from azureml_jobs.base.errors import JobError
from azureml_jobs.imports.result import OutsideModule


def missing_errors(
    modules: Iterable[OutsideModule],
    resolve: str,
    requirements: Collection[str],
    projects: Mapping[str, Iterable[str]],
) -> tuple[str, ...]:
    """Return one message for each kind of error, with what to write.

    `requirements` are the files that list the packages of the resolve; `projects` are packages that
    have the module of this name, as far as is known.
    """
    found = sorted(set(modules), key=lambda each: (each.path, each.line, each.module))
    packages = [each for each in found if each.remedy is None]
    messages = [_packages_message(packages, resolve, sorted(requirements), projects)]
    for remedy in dict.fromkeys(each.remedy for each in found if each.remedy is not None):
        files = [(each, _reason(each)) for each in found if each.remedy == remedy]
        messages.append(_message(files, remedy))
    return tuple(message for message in messages if message)


def _reason(module: OutsideModule) -> str:
    if module.nearest is not None:
        return f"Python does not find the module `{module.module}`, which is {module.nearest}"
    return f"no file is the module `{module.module}`"


def _packages_message(
    packages: list[OutsideModule],
    resolve: str,
    requirements: list[str],
    projects: Mapping[str, Iterable[str]],
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
        f"Add the package{likely} to {files}, then run `./pants sync-lockfiles "
        f"--resolve={resolve}`. If it is there under a name that does not show its module, add "
        "`module_mapping` to its target. For an import that the code can do without, write "
        "`# pants: no-infer-dep` behind it.",
    )


def _message(findings: list[tuple[OutsideModule, str]], remedy: str) -> str:
    """Return a line for each finding and the remedy once, nothing when there is no finding."""
    errors = [
        JobError(
            f"{each.path}:{each.line}" if each.line else each.path,
            what,
            remedy if number == len(findings) else "",
        )
        for number, (each, what) in enumerate(findings, start=1)
    ]
    return "\n".join(str(error) for error in errors)
