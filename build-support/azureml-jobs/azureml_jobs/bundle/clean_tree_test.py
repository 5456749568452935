from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.workspace_config import AzureWorkspace
from azureml_jobs.bundle.guard import check_clean_tree

WORKSPACE = AzureWorkspace("1234", "my-group", "prod", needs_clean_tree=True)


def test_refuses_uncommitted_files_for_a_workspace_that_requires_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(JobError, match="git does not say"):
        check_clean_tree(WORKSPACE, tmp_path)
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    check_clean_tree(WORKSPACE, tmp_path)
    (tmp_path / "new file").write_text("")
    with pytest.raises(JobError, match="prod accepts only committed files.*\n  new file\\."):
        check_clean_tree(WORKSPACE, tmp_path)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(
        JobError, match="(?s)git refuses: detected dubious ownership.*safe.directory"
    ):
        check_clean_tree(WORKSPACE, tmp_path)
    check_clean_tree(AzureWorkspace("1", "g", "w"), tmp_path)
    check_clean_tree(None, tmp_path)
