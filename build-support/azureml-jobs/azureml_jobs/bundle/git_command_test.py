from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from azureml_jobs.bundle.git_command import remote_address


@pytest.mark.parametrize(
    ("address", "recorded"),
    [
        ("https://host.example/a/b.git", "https://host.example/a/b.git"),
        ("https://me:secret@host.example:8443/a.git?sig=x", "https://host.example:8443/a.git"),
        ("https://token@host.example/a.git", "https://host.example/a.git"),
        ("short:a.git", "https://host.example/a.git"),
        ("ssh://git:secret@host.example/a.git", "ssh://git@host.example/a.git"),
        ("git@host.example:a/b.git", "git@host.example:a/b.git"),
        ("../a folder", "../a folder"),
        ("https://[broken", None),
        (None, None),
    ],
)
def test_the_remote_is_recorded_without_credentials(
    tmp_path: Path, address: str | None, recorded: str | None
) -> None:
    commands = [["init", "-q"]]
    # As build servers give their token to every command.
    commands += [["config", "url.https://x:token@host.example/.insteadOf", "short:"]]
    commands += [["remote", "add", "origin", address]] if address else []
    for command in commands:
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    assert remote_address(tmp_path) == recorded
