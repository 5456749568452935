"""Run a staged `:local` script in the terminal that asked for it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Dict, List, Tuple

from azureml_jobs.errors import OutsideError
from azureml_jobs.local.environment import script_environment
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.output import open_standard_descriptors, say
from azureml_jobs.local.record import write_atomically
from azureml_jobs.local.supervise import GRACE_SECONDS, Supervision

_SHOWN_FILES = 10

_Listing = Dict[str, Tuple[int, int]]


@dataclass
class Script:
    """What to run; kept in `script.json` of the staged folder `.azureml/local/<name>`.

    `argv` is found on the PATH, which begins with `python`'s `bin`; `python` is the prefix of a
    virtual environment. It starts in the folder `code` beside.
    """

    argv: List[str]
    python: str = ""
    experiment_name: str = ""
    environment_variables: Dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Script:
        return cls(**json.loads((folder / "script.json").read_text(encoding="utf-8")))

    def write(self, folder: Path) -> None:
        write_atomically(folder / "script.json", json.dumps(asdict(self), indent=2) + "\n")


def execute_script(folder: Path, grace: float = GRACE_SECONDS) -> int:
    """Run the script in `folder` and return its status; then remove the folder.

    It is kept, and named, when the script wrote files beside its code. The script has the
    terminal: in one it gets Ctrl-C by itself, without one we pass signals on.
    """
    open_standard_descriptors()
    folder = folder.absolute()
    script = Script.read(folder)
    code = folder / "code"
    before = _listing(code)
    has_terminal = os.isatty(0)
    # Ctrl-C of a terminal goes to all of its foreground group: to the script, and to us.
    with Interruptions(ignored=(signal.SIGINT,) if has_terminal else ()) as interruptions:
        environment = script_environment(
            script.python,
            folder,
            folder.parent.parent / "mlruns",
            script.experiment_name,
            script.environment_variables,
            dict(os.environ),
        )
        try:
            process = subprocess.Popen(
                script.argv, cwd=code, env=environment, start_new_session=not has_terminal
            )
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise OutsideError(
                " ".join(script.argv), f"it could not be started: {error.strerror}"
            ) from error

        def ask(signum: int) -> None:
            with contextlib.suppress(OSError):
                if has_terminal:
                    process.send_signal(signum)
                else:
                    os.killpg(process.pid, signum)

        ended = Supervision(
            process,
            interruptions,
            folder=str(folder),
            pgid=None if has_terminal else process.pid,
            ask=ask,
            grace=grace,
        ).wait()
        _keep_or_remove(folder, before)
    return ended.status if ended.signalled is None else 128 + ended.signalled


def _keep_or_remove(folder: Path, before: _Listing) -> None:
    after = _listing(folder / "code")
    written = sorted(name for name, state in after.items() if before.get(name) != state)
    if not written:
        shutil.rmtree(folder, ignore_errors=True)
        return
    listed = "".join(f"  {name}\n" for name in written[:_SHOWN_FILES])
    if len(written) > _SHOWN_FILES:
        listed += f"  and {len(written) - _SHOWN_FILES} more\n"
    say(2, f"\nThe script wrote files, they are kept in {folder / 'code'}:\n{listed}")


def _listing(folder: Path) -> _Listing:
    """Size and time of change of each file, apart from what Python compiles for itself."""
    found = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each != "__pycache__"]
        for name in names:
            path = Path(parent, name)
            with contextlib.suppress(OSError):
                state = path.lstat()
                found[path.relative_to(folder).as_posix()] = (state.st_size, state.st_mtime_ns)
    return found
