"""Run the real `./pants` in a copy of this repository."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

# What a clone contains: no caches, results or other people's files.
COPIED = (
    *("3rdparty", "build-support", "docs", "src", "data", "notebooks"),
    *(".flake8", ".gitignore", ".hadolint.yaml", ".pants.bootstrap", ".yamllint"),
    *("BUILD", "BUILD.maintaining", "LICENSE", "README.md", "copier.yml"),
    *(".copier-answers.yml.jinja", "LICENSE.jinja", "README.md.jinja", "config.env.jinja"),
    *("azure-pipelines.yml", "config.env", "pants", "pants.toml", "pyproject.toml"),
    *(".ci", ".devcontainer", ".github", ".pre-commit-config.yaml", ".vscode"),
)
IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
IGNORED = shutil.ignore_patterns("__pycache__", ".pytest_cache", ".hypothesis", "*.pyc")


def repository_root() -> Path:
    """Return the folder above this file with `pants.toml`, which a sandbox of Pants has, too."""
    return next(folder for folder in Path(__file__).parents if (folder / "pants.toml").exists())


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Return the first true value of `condition`; fail with `what` when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Return what the process prints, up to the first line with `text`."""
    assert process.stdout is not None
    seen = ""
    while text not in seen:
        line = process.stdout.readline()
        assert line, seen
        seen += line
    return seen


class Checkout:
    """A repository at `root` in which commands run; `root` need not be one of git's yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        if not (root / ".git").exists():
            self.git("init", "--quiet")
            self.commit()

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *IDENTITY, *arguments],
            cwd=self.root,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        ).stdout

    def commit(self, message: str = "All") -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def restore(self, commit: str = "HEAD") -> None:
        """Undo all changes to files, and all commits after `commit`."""
        self.git("reset", "--quiet", "--hard", commit)
        self.git("clean", "-d", "--force", "--quiet")

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the variables of a user's shell, without those that an outer Pants set."""
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PANTS_", "PEX_", "PYTHON", "PYTEST", "_PANTS", "AZUREML_"))
        }
        # Images on this machine must not decide what a test tests.
        runtime = {"PANTS_AZUREML_RUNTIME": "venv"}
        return {**inherited, "LC_ALL": "C.UTF-8", **runtime, **(more or {})}

    def pants(
        self, *arguments: str, status: int | None = 0, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `./pants` until it ends; `status` is the expected exit status, None for any."""
        return self._run(["./pants", *arguments], status, more, stderr=subprocess.PIPE)

    def bash(
        self,
        script: str,
        *arguments: str,
        status: int | None = 0,
        more: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a script in the copy until it ends; its errors are part of `stdout`."""
        command = ["bash", "-c", script, "bash", *arguments]
        return self._run(command, status, more, stderr=subprocess.STDOUT)

    def _run(
        self, command: list[str], status: int | None, more: Mapping[str, str] | None, stderr: int
    ) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment(more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            timeout=900,
            check=False,
        )
        if status is not None and result.returncode != status:
            raise AssertionError(
                f"{' '.join(command)}: status {result.returncode}\n"
                f"{result.stdout}\n{result.stderr or ''}"
            )
        return result

    def json(self, *arguments: str) -> Any:
        return json.loads(self.pants(*arguments).stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `./pants` without a terminal, and do not wait for it."""
        return subprocess.Popen(
            ["./pants", *arguments],
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def jobs(self) -> list[dict[str, Any]]:
        return self.json("run", ":aml", "--", "jobs", "list", "--json")

    def job_folders(self) -> list[str]:
        """Return the names of all folders of jobs, incomplete ones included."""
        folder = self.root / ".azureml" / "jobs"
        return sorted(os.listdir(folder)) if folder.exists() else []

    @contextlib.contextmanager
    def changed(self, changes: Mapping[str, str | None]) -> Iterator[None]:
        """Write files, or remove those given as None, until the block ends."""
        before = {
            path: (self.root / path).read_bytes() if (self.root / path).exists() else None
            for path in changes
        }
        try:
            for path, text in changes.items():
                self._write(path, None if text is None else text.encode())
            yield
        finally:
            for path, content in before.items():
                self._write(path, content)

    def _write(self, path: str, content: bytes | None) -> None:
        target = self.root / path
        if content is None:
            target.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                target.parent.rmdir()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def stop_daemon(self) -> None:
        for file in self.root.glob(".pids/*/pantsd/pid"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(file.read_text()), signal.SIGTERM)


class Scratch(Checkout):
    """A copy of this repository, with a git history of one commit."""

    def __init__(self, root: Path) -> None:
        source = repository_root()
        root.mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            if (source / name).is_dir():
                shutil.copytree(source / name, root / name, ignore=IGNORED)
            else:
                shutil.copy(source / name, root / name)
        super().__init__(root)


class Terminal:
    """`./pants` in its own terminal, as a person uses it."""

    def __init__(self, scratch: Checkout, *arguments: str) -> None:
        self.seen = ""
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.chdir(scratch.root)
            environment = scratch.environment({"TERM": "xterm"})
            os.execve("./pants", ["./pants", *arguments], environment)
        self._status: int | None = None

    def read_until(self, text: str, seconds: float = 120) -> None:
        try:
            wait_for(lambda: self._read() and text in self.seen, repr(text), seconds)
        except AssertionError as error:
            raise AssertionError(f"{error} in {self.seen!r}") from None

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def status(self, seconds: float = 60) -> int:
        """Return the command's exit status when it ends; `seen` has what it printed."""

        def ended() -> bool:
            self._read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
            return bool(pid)

        wait_for(ended, f"the end of the command, after {self.seen!r}", seconds)
        self._read()
        os.close(self._master)
        return self._status if self._status is not None else -1

    def _read(self) -> bool:
        while select.select([self._master], [], [], 0.05)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                break
            if not data:
                break
            self.seen += data.decode(errors="replace")
        return True
