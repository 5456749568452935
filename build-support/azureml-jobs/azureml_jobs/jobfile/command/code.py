"""The code that a command is sent with, and what of it the command runs and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Code:
    """The local code that `code:` names.

    path: the repository path of a folder or of a single file; "" is the repository's root. None
        when nothing local is named: git, an asset, an address.
    where: the key, for messages: `src/x/azure-ml-job.yaml: code`.
    includes: repository paths of files and folders that are added to it, each by its last name, as
        `additional_includes` of a component are.
    is_named: False for a command without `code:`, which may need no file.
    """

    path: str | None
    where: str
    includes: tuple[str, ...] = ()
    is_named: bool = True


Kind = Literal["script", "module", "source"]


@dataclass(frozen=True)
class PythonStart:
    """Python code that a command starts.

    value: the script's snapshot name, the module's dotted name, or the text of `python -c` and of a
        here-document (kind "source"). A script may be a folder, of which `__main__.py` runs; then
        it is itself in the place of its parent at the start of `search_path`.
    search_path: `sys.path` as far as it lies in the snapshot, in Python's order: snapshot names of
        folders; "" is the root.
    folder: the snapshot name of the working folder.
    is_certain: False when an earlier command may make the file, or when the folder is a guess.
    """

    kind: Kind
    value: str
    search_path: tuple[str, ...]
    folder: str
    is_certain: bool = True


@dataclass(frozen=True)
class ScriptStart:
    """A file that another program runs or reads: `bash run.sh`, `./train.sh`, `julia run.jl`.

    name: the snapshot name.
    folder: the snapshot name of the working folder.
    pythonpath: the folders of `PYTHONPATH` that lie in the snapshot.
    is_read: whether `read_script` reads its text: bash, and the list of `pip install -r`.
    """

    name: str
    folder: str
    pythonpath: tuple[str, ...]
    is_read: bool
    is_certain: bool = True


@dataclass(frozen=True)
class CommandCode:
    """Everything that one command runs and names.

    files: every other word that may be a file or a folder, as snapshot names; some are patterns
        with `*`, `?` or `[`. The empty name, of the whole snapshot, is there for `pip install .`.
    warnings: what the command runs and cannot be read, in plain sentences.
    installs_packages: whether it installs packages itself, so that more can be imported than what
        its environment has.
    """

    python: tuple[PythonStart, ...]
    scripts: tuple[ScriptStart, ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...]
    installs_packages: bool = False
