"""Copies of the launcher for its tests, with a Pants of ours or with none."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = next(
    folder for folder in Path(__file__).resolve().parents if (folder / "pants.toml").is_file()
)
BASH = shutil.which("bash") or "/bin/bash"

# A client in place of Pants' own: says how it was started, and leaves behind what $LEAVE holds.
CLIENT = """\
#!/usr/bin/env bash
printf '%s\\n' "$_PANTS_SERVER_EXE" "$NO_SCIE_WARNING" "$@" >"$SAID"
if [[ -n ${LEAVE:-} ]]; then cat "$LEAVE" >"$AZUREML_JOBS_EXEC_FILE"; fi
if [[ -n ${LINGER:-} ]]; then : >"$LINGER"; exec sleep 60; fi
exit "${STATUS:-0}"
"""


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def copy_launcher(folder: Path) -> Path:
    """A repository that holds the launcher and nothing else; returns its folder."""
    folder.mkdir(parents=True)
    for name in ("pants", ".pants.bootstrap"):
        shutil.copy2(REPOSITORY / name, folder / name)
    shutil.copytree(
        REPOSITORY / "build-support/bootstrap",
        folder / "build-support/bootstrap",
        ignore=shutil.ignore_patterns("__pycache__", "BUILD"),
    )
    (folder / "pants.toml").write_text('[GLOBAL]\npants_version = "2.17.1"\n', encoding="utf-8")
    return folder


def environment(cache: Path, **more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PANTS_", "PEX_", "PYTEST_", "PYTHON", "AZUREML_"))
    }
    kept.setdefault("HOME", str(Path.home()))
    kept.setdefault("PATH", os.defpath)
    return {**kept, "PANTS_BOOTSTRAP_CACHE_DIR": str(cache), **more}


def start(
    repository: Path,
    *arguments: str,
    env: Mapping[str, str],
    cwd: Path | None = None,
    user: int | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(repository / "pants"), *arguments],
        cwd=cwd or repository,
        env=dict(env),
        user=user,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=300,
    )


def ask_settings(repository: Path, expression: str, env: Mapping[str, str]) -> str:
    """What the shell makes of an expression after settings.sh was read."""
    settings = repository / "build-support/bootstrap/settings.sh"
    asked = f'set -eu; source "$1"; bootstrap_folder; printf %s "{expression}"'
    return subprocess.check_output(
        [BASH, "-c", asked, "bash", str(settings)], env=dict(env), encoding="utf-8"
    )


def leftovers(cache: Path) -> list[str]:
    """What is in the folders that a setup works in, but for finished ones."""
    return sorted(path.name for path in cache.glob("*/*") if not (path / "finished").is_file())


def remove_links() -> None:
    """Remove the link by which Pants reaches a pex tool whose path has unusual characters."""
    for path in Path("/tmp").glob(f"pants-from-index-{os.getuid()}-*"):
        if not path.exists() or path.resolve().parents[2].name.startswith("cäche"):
            path.unlink()


def wait_for(path: Path) -> None:
    """Wait until a file, or a link to nothing, is there."""
    for _ in range(1000):
        if os.path.lexists(path):
            return
        time.sleep(0.02)
    raise TimeoutError(path)


class Fake:
    """A repository and a cache in which the client, Python and the rest only look alike."""

    def __init__(self, folder: Path) -> None:
        self.repository = copy_launcher(folder / "a répository")
        self.account: int | None = None
        self.cache = folder / "cäche with {spaces}"
        self.temporary = folder / "temporary files"
        self.temporary.mkdir()
        self.said = folder / "said"
        self.record = folder / "record"
        self.env = environment(
            self.cache,
            SAID=str(self.said),
            RECORD=str(self.record),
            TMPDIR=str(self.temporary),
            PIP_CONFIG_FILE=os.devnull,
            PIP_INDEX_URL="https://me:secret@index.example/simple",
        )
        self.made = (
            Path(ask_settings(self.repository, "$BOOTSTRAP_FOLDER", self.env)) / "py311.fake"
        )
        script(self.made / "client", CLIENT)
        for name in ("venv/bin/python", "venv/bin/pants"):
            script(self.made / name, f'#!/bin/sh\ntouch "{folder}/python was started"\nexit 9\n')
        self.python_started = folder / "python was started"
        (self.made / "pex").write_text("a tool")
        (self.made / "index").write_text(
            f"asked=https://***@index.example/simple {os.devnull}\n"
            "files=/files.example/a\nurl=https://files.example/simple\ncert=\n"
        )
        (self.made / "finished").write_text("interpreter=/opt/python3.11\nnative_client=client\n")

    def start(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return start(self.repository, *arguments, env={**self.env, **more}, user=self.account)

    def left(self, *command: str, end: str = "\0") -> str:
        """A file that holds a command line as a run leaves it behind."""
        path = self.said.with_name("left")
        path.write_bytes(os.fsencode("\0".join(command) + end))
        return str(path)
