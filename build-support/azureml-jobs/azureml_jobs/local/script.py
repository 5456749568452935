"""Run a staged `:local` script in the terminal that asked for it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import termios
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from azureml_jobs.base.atomic_file import write_file
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.docker.container import DOCKER_FAILED_STATUS, Container
from azureml_jobs.local.environment import script_environment
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.mounts import make_shared_folders
from azureml_jobs.local.output import open_standard_descriptors, say
from azureml_jobs.local.process import signal_group
from azureml_jobs.local.start import Launch, launch
from azureml_jobs.local.supervise import GRACE_SECONDS, Ended, Supervision

_SHOWN_FILES = 10

_Listing = dict[str, tuple[int, int]]


@dataclass
class Script:
    """What to run; kept in `script.json` of the staged folder `.azureml/local/<name>`.

    `argv` is found on the PATH, which begins with `python`'s `bin`; `python` is the prefix of a
    virtual environment. `container` is a `Container` as data where the runtime is docker. It starts
    in the folder `code` beside, which the container has as well.
    """

    argv: list[str]
    python: str = ""
    container: dict[str, Any] | None = None
    experiment_name: str = ""
    environment_variables: dict[str, str] = field(default_factory=dict)
    # Where a browser finds it, for what is a server.
    url: str = ""
    # The file that keeps the output of tests that pass.
    result: str = ""

    @classmethod
    def read(cls, folder: Path) -> Script:
        return cls(**json.loads((folder / "script.json").read_text(encoding="utf-8")))

    def launch(self, folder: Path, *stdin_and_terminal: str) -> Launch:
        """How it is started from the absolute `folder`, which holds it.

        `stdin_and_terminal` are arguments of `docker run`.
        """
        root = folder.parent.parent
        container = Container.of_data(self.container) if self.container else None
        if container is not None:
            make_shared_folders(root)
        environment = script_environment(
            self.python,
            root / "mlruns",
            self.experiment_name,
            self.environment_variables,
            os.environ,
            in_container=container is not None,
        )
        code = folder / "code"
        return launch(self.argv, environment, container, folder, code, *stdin_and_terminal)

    def write(self, folder: Path) -> None:
        write_file(folder / "script.json", json.dumps(asdict(self), indent=2) + "\n")


def execute_script(folder: Path, grace: float = GRACE_SECONDS) -> int:
    """Run the script in `folder` and return its status; then remove the folder.

    It is kept, and named, when the script wrote files beside its code. The script has the
    terminal: in one it gets Ctrl-C by itself, without one we pass signals on.
    """
    open_standard_descriptors()
    folder = folder.absolute()
    script = Script.read(folder)
    before = _listing(folder / "code")
    has_terminal = os.isatty(0)
    started = script.launch(folder, *_terminal_arguments())
    # Ctrl-C of a terminal goes to all of its foreground group: to the script, and to us.
    ignored = (signal.SIGINT,) if has_terminal else ()
    kept = _terminal_kept() if started.container else contextlib.nullcontext()
    with kept, Interruptions(ignored) as interruptions:
        try:
            process = subprocess.Popen(
                started.argv,
                cwd=started.cwd,
                env=started.environment,
                start_new_session=not has_terminal,
            )
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise OutsideError(
                started.argv[0], f"it could not be started: {error.strerror}"
            ) from error

        def ask(signum: int) -> None:
            if not has_terminal:
                signal_group(process.pid, signum)
                return
            with contextlib.suppress(OSError):
                process.send_signal(signum)

        ended = Supervision(
            process,
            interruptions,
            ask=ask,
            kill=lambda: started.kill(None if has_terminal else process.pid),
            grace=grace,
        ).wait()
        _keep_or_remove(folder, before)
    return script_status(started, ended)


def script_status(started: Launch, ended: Ended) -> int:
    """The status of what ended, as that of a command."""
    if ended.signalled is not None:
        return 128 + ended.signalled
    if started.container is not None and ended.status == DOCKER_FAILED_STATUS:
        # Docker has said why.
        return OutsideError.status
    return ended.status


def _terminal_arguments() -> list[str]:
    """What `docker run` needs for a command that has our standard streams."""
    # With a terminal inside, standard error cannot be told from standard output any more.
    has_all = all(os.isatty(descriptor) for descriptor in (0, 1, 2))
    return ["--interactive", "--tty"] if has_all else ["--interactive"]


@contextlib.contextmanager
def _terminal_kept() -> Iterator[None]:
    """Leave the terminal as it was, also when Docker's client was killed amid its use."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(0, termios.TCSADRAIN, before)


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
