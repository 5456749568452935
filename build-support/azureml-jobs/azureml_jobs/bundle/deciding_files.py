"""Name all files that decide what is in a bundle."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from azureml_jobs.bundle.contents import Bundle

# What Pants reads at the top of the repository.
_SETTINGS = ("pants.toml", ".gitignore")
# Files of the commit that would count again if they came back, wherever they are.
_REMOVABLE = ("*.py", "*.pyi", "BUILD", "*/BUILD", "BUILD.*", "*/BUILD.*")


def deciding_files(bundle: Bundle, repository: Path) -> list[str]:
    """Return code, documents, environments, locks and BUILD files, relative to `repository`.

    Data is not among them, nor are the tools themselves.
    """
    request = bundle.request
    needed = {*bundle.documents, *bundle.sources, *request.deciding_files}
    for unit in bundle.units:
        needed |= {*unit.files.context_files, unit.files.packages.lock}
    folders = {folder for path in needed for folder in PurePosixPath(path).parents}
    build_files = {
        (folder / found.name).as_posix()
        for folder in folders
        for found in (repository / folder).glob("BUILD*")
        if found.name == "BUILD" or found.name.startswith("BUILD.")
    }
    return sorted({*needed, *build_files, *_SETTINGS})


def removable_files(bundle: Bundle) -> list[str]:
    """Return pathspecs of git for files whose absence decides what is in a bundle."""
    named = {PurePosixPath(bundle.request.job_file).parent.as_posix()}
    for unit in bundle.units:
        named |= {path or "." for path in (unit.unit.code.path,) if path is not None}
        named |= {path for path in (unit.unit.build_context,) if path}
    return [*_REMOVABLE, *sorted(f":(literal){path}" for path in named)]
