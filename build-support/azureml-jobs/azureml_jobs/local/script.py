"""Run a `:local` script in the terminal that asked for it, or tests in the image."""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import signal
import sys
import termios
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.typed_json import read_data, write_data
from azureml_jobs.docker.container import DOCKER_FAILED_STATUS, Container
from azureml_jobs.local.environment import script_environment
from azureml_jobs.local.folder import files_below, make_shared_folders
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.output import Log, write_message
from azureml_jobs.local.process import signal_group
from azureml_jobs.local.process_spec import ProcessSpec, process_spec
from azureml_jobs.local.run_environment import run_environment
from azureml_jobs.local.supervise import Ended, Supervision

_SHOWN_FILES = 10
_Listing = dict[str, tuple[int, int]]


@dataclass
class Script:
    """What to run; kept in `script.json` of the folder `.azureml/local/<name>`.

    It runs in the folder `code` next to that file, which the container has as well. `argv` is found
    on the PATH, which begins with `bin` of `python`, the prefix of a virtual environment.
    `container` is None unless the runtime is docker. `url` is the address for a browser, when it is
    a server; `result` the file that keeps the output of tests that passed.
    """

    argv: list[str]
    python: str = ""
    container: Container | None = None
    experiment_name: str = ""
    environment_variables: dict[str, str] = field(default_factory=dict)
    url: str = ""
    result: str = ""

    @classmethod
    def read(cls, folder: Path) -> Script:
        return read_data(cls, folder / "script.json")

    def write(self, folder: Path) -> None:
        write_data(folder / "script.json", self)

    def process_spec(
        self, folder: Path, pythons: Sequence[str] = (), *stdin_and_terminal: str
    ) -> ProcessSpec:
        """Return how it starts from the absolute `folder`, which holds it.

        The `bin` folders of `pythons` come first on its PATH. `stdin_and_terminal` are arguments of
        `docker run`.
        """
        root, own = folder.parent.parent, self.container
        if own is not None:
            make_shared_folders(root)
        environment = script_environment(
            pythons,
            root / "mlruns",
            self.experiment_name,
            self.environment_variables,
            in_container=own is not None,
        )
        code = folder / "code"
        return process_spec(self.argv, environment, own, folder, code, *stdin_and_terminal)

    def status(self, ended: Ended) -> int:
        """Return the exit status of a command that ran the script."""
        is_docker_s = self.container is not None and ended.exit_status == DOCKER_FAILED_STATUS
        # Docker has printed the reason.
        return OutsideError.status if is_docker_s else ended.exit_status


def experiment_of(address: str) -> str:
    """Return the experiment to which a target belongs: the name of its folder."""
    return posixpath.basename(address.partition(":")[0]) or "local"


def execute_script(folder: Path) -> int:
    """Run the script in `folder` and return its status; then remove the folder.

    A folder into whose code the script wrote files is kept, and printed. In a terminal the script
    gets Ctrl-C by itself; without one we pass signals on.
    """
    folder = folder.absolute()
    script = Script.read(folder)
    before = _listing(folder / "code")
    has_terminal = os.isatty(0)
    # A terminal sends Ctrl-C to all of its foreground group: to the script, and to us.
    ignored = (signal.SIGINT,) if has_terminal else ()
    # A terminal in the container merges standard error into standard output.
    has_all = all(map(os.isatty, (0, 1, 2)))
    try:
        with (
            _terminal_restored() if script.container else contextlib.nullcontext(),
            run_environment(script.python, folder) as pythons,
            Interruptions(ignored) as interruptions,
        ):
            spec = script.process_spec(
                folder, pythons, "--interactive", *(["--tty"] if has_all else [])
            )
            process = spec.start(start_new_session=not has_terminal)

            def send_signal(signum: int) -> None:
                if not has_terminal:
                    signal_group(process.pid, signum)
                    return
                with contextlib.suppress(OSError):
                    process.send_signal(signum)

            ended = Supervision(
                [process],
                interruptions,
                send_signal=send_signal,
                kill=lambda: spec.kill(None if has_terminal else process.pid),
            ).wait()
    finally:
        _keep_or_remove(folder, before)
    return script.status(ended)


def execute_tests(folder: Path) -> int:
    """Run the tests in `folder` and return pytest's status; then remove the folder.

    The output of tests that passed is kept in the file that `Script.result` names.
    """
    folder = folder.absolute()
    script = Script.read(folder)
    spec = script.process_spec(folder)
    result = Path(script.result)
    log = Log(folder / "log.txt")
    try:
        with Interruptions() as interruptions:
            process, copies = spec.start_logged(log)
            ended = Supervision(
                [process],
                interruptions,
                send_signal=lambda signum: signal_group(process.pid, signum),
                kill=lambda: spec.kill(process.pid),
                copies=copies,
            ).wait()
        status = script.status(ended)
        if status == 0 and not log.error:
            result.parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder / "log.txt", result)
    except OSError as error:
        raise OutsideError(str(result), f"it could not be written: {error.strerror}") from error
    finally:
        log.close()
        shutil.rmtree(folder, ignore_errors=True)
    print("The tests passed." if status == 0 else "The tests did not pass.", file=sys.stderr)
    return status


@contextlib.contextmanager
def _terminal_restored() -> Iterator[None]:
    """Restore the settings of the terminal, which a docker client that is killed leaves changed."""
    before = termios.tcgetattr(0) if os.isatty(0) else None
    try:
        yield
    finally:
        if before:
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
    write_message(2, f"\nThe script wrote files, they are kept in {folder / 'code'}:\n{listed}")


def _listing(folder: Path) -> _Listing:
    """Return size and time of change of each file, except for what Python compiled."""
    found = {}
    for name, path in files_below(folder):
        if "__pycache__" not in path.parts:
            with contextlib.suppress(OSError):
                state = path.lstat()
                found[name] = (state.st_size, state.st_mtime_ns)
    return found
