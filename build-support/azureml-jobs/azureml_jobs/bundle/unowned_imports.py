"""Report imports that no target and no lock has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from azureml_jobs.base.errors import JobError


@dataclass(frozen=True)
class UnownedImport:
    """An import in `path`, relative to the repository's root, that has no owner in its resolve.

    `owners` are addresses when several targets of the resolve have the module; `elsewhere` those of
    code that has it for other resolves only. `projects` are packages that have it, as far as is
    known. `is_own_code` is true when the module's first name is a file or folder next to the
    importer's.
    """

    path: str
    line: int
    module: str
    resolve: str
    owners: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    is_own_code: bool = False

    @property
    def is_package(self) -> bool:
        """Whether a package has it, which an environment may bring, and no code of ours."""
        return not (self.owners or self.elsewhere or self.is_own_code)


def import_errors(imports: Iterable[UnownedImport], requirements: Iterable[str]) -> tuple[str, ...]:
    """Return one message for each kind of error among imports of one resolve.

    `requirements` are the files that list the packages of that resolve.
    """
    found = sorted(set(imports), key=lambda each: (each.path, each.line, each.module))
    ambiguous = [each for each in found if each.owners]
    elsewhere = [each for each in found if each.elsewhere and not each.owners]
    missing = [each for each in found if each.is_own_code and not each.owners + each.elsewhere]
    packages = [each for each in found if each.is_package]
    messages = (
        _packages_message(packages, sorted(requirements)),
        _message(
            [(each, f"no file is the module `{each.module}`") for each in missing],
            "Check its name. A new file needs a target in the BUILD file of its folder, such as "
            '`python_sources(name="lib")`.',
        ),
        _message(
            [
                (
                    each,
                    f"`{each.module}` is not part of the resolve `{each.resolve}`, but only "
                    f"{', '.join(each.elsewhere)}",
                )
                for each in elsewhere
            ],
            f"Add `{_resolve(elsewhere)}` to the resolves of that target in its BUILD file.",
        ),
        _message(
            [
                (each, f"several targets are `{each.module}`: {', '.join(each.owners)}")
                for each in ambiguous
            ],
            "Keep one of them, or name the right one in the `dependencies` of the target that "
            "imports it.",
        ),
    )
    return tuple(message for message in messages if message)


def _packages_message(packages: list[UnownedImport], requirements: list[str]) -> str:
    resolve = _resolve(packages)
    known = sorted({project for each in packages for project in each.projects})
    likely = f" (likely {', '.join(f'`{project}`' for project in known)})" if known else ""
    files = " and ".join(requirements) or f"the requirements of the resolve `{resolve}`"
    return _message(
        [
            (each, f"no package of the resolve `{resolve}` has the module `{each.module}`")
            for each in packages
        ],
        f"Add the package{likely} to {files}, then run `./pants sync-lockfiles "
        f"--resolve={resolve}`. If it is there under a name that does not show its module, add "
        "`module_mapping` to its target. For an import that the code can do without, write "
        "`# pants: no-infer-dep` behind it.",
    )


def _resolve(imports: list[UnownedImport]) -> str:
    return imports[0].resolve if imports else ""


def _message(findings: list[tuple[UnownedImport, str]], remedy: str) -> str:
    """Return a line for each finding and the remedy once, nothing when there is no finding."""
    errors = [
        JobError(f"{each.path}:{each.line}", what, remedy if number == len(findings) else "")
        for number, (each, what) in enumerate(findings, start=1)
    ]
    return "\n".join(str(error) for error in errors)
