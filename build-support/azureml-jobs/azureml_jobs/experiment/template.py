"""Read a template of experiments, filled in for one of them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from azureml_jobs.base.errors import JobError

# Content of each file by its path in the experiment's folder, and whether it is a program.
Files = dict[str, tuple[bytes, bool]]

PLAIN = "plain"
# Neither Pants nor editors take a file with this suffix for code of the repository.
_SUFFIX = ".template"
# A folder of the template: each of its folders has the files in which another template differs.
_VARIANTS = "variants"
# The packages that such a template imports and that the list of the experiments may not have.
_REQUIREMENTS = "requirements.txt"


def template_names(template: Path) -> list[str]:
    """Return the names of the templates that the folder `template` has."""
    return [PLAIN, *sorted(path.name for path in template.glob(f"{_VARIANTS}/*") if path.is_dir())]


def filled_template(
    root: Path, template: str, variant: str, source_root: str, parts: Sequence[str]
) -> Files:
    """Return the files of a new experiment, whose name has these `parts`.

    Markers are replaced as plain text, for a template engine would want the `${{...}}` of job files
    for itself. The README of the template lists them.
    """
    markers = {
        b"{{module}}": ".".join(parts),
        b"{{folder}}": "/".join((source_root, *parts)),
        b"{{label}}": "-".join(parts),
        b"{{code}}": "/".join([".."] * len(parts)),
    }
    base = root / template
    files: Files = {}
    for folder in (base, base / _VARIANTS / variant):
        for path in filter(Path.is_file, folder.rglob(f"*{_SUFFIX}")):
            name = path.relative_to(folder)
            if name.parts[0] == _VARIANTS:
                continue
            content = path.read_bytes()
            for marker, text in markers.items():
                content = content.replace(marker, text.encode())
            executable = os.access(path, os.X_OK)
            files[name.as_posix().removesuffix(_SUFFIX)] = (content, executable)
    if not files:
        raise JobError(
            template,
            f"there is no template of an experiment: no file `*{_SUFFIX}`",
            "Restore it from git, or set its path: `[new-experiment].template` in pants.toml.",
        )
    return files


def missing_requirements(template: Path, variant: str, locked: Collection[str]) -> list[str]:
    """Return the lines for packages of a template that are not among the `locked` ones."""
    file = template / _VARIANTS / variant / _REQUIREMENTS
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [line for line in lines if re.split(r"[^\w.-]", line)[0] not in locked]
