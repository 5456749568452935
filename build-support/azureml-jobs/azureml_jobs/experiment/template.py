"""The template of an experiment: plain files in which markers stand for its name.

Markers are replaced as text: a template engine would want the `${{...}}` of job files for itself,
and nothing here needs more than names. All other text stays as it is.

    {{module}}  team.x   for imports and `python -m`
    {{folder}}  src/team/x, for addresses and commands
    {{label}}   team-x, the experiment's name on Azure ML
    {{code}}    ../.., from the experiment's folder up to the source root
    {{resolve}} resolve="older", for BUILD; nothing for the resolve that most experiments have

A file is written without its suffix `.template`, by which neither Pants nor an editor takes it for
code of this repository. Files without the suffix are not written.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.experiment.name import ExperimentName

SUFFIX = ".template"


@dataclass(frozen=True)
class NewFile:
    """`path` is relative to the experiment's folder."""

    path: str
    content: bytes
    executable: bool = False


def filled_template(
    root: Path, template: str, name: ExperimentName, folder: str, resolve: str = ""
) -> list[NewFile]:
    """Return the files of the experiment `name`, whose `folder` is relative to `root`.

    `resolve` is one of its own, empty for that of most experiments.
    """
    markers = {
        b"{{module}}": name.module,
        b"{{folder}}": folder,
        b"{{label}}": name.label,
        b"{{code}}": "/".join([".."] * len(name.parts)),
        b"{{resolve}}": f'resolve="{resolve}"' if resolve else "",
    }
    files = []
    for path in sorted((root / template).rglob(f"*{SUFFIX}")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        for marker, text in markers.items():
            content = content.replace(marker, text.encode())
        relative = path.relative_to(root / template).as_posix()[: -len(SUFFIX)]
        files.append(NewFile(relative, content, os.access(path, os.X_OK)))
    if not files:
        raise JobError(
            template,
            f"there is no template of an experiment: no file `*{SUFFIX}`",
            "Restore it from git, or say where it is: `[new-experiment].template` in pants.toml.",
        )
    return files
